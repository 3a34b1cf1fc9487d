import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnonymousChecker, Identity, identityOf } from '@postern/cred';
import { MailDirectory } from '@postern/dovecot-auth';
import {
  bindAvatar,
  bindChecker,
  bindListener,
  dovecotAuthModule,
  dovecotUserdbModule,
  httpModule,
  identifiers,
  socketmapModule,
  start,
} from '@postern/inversify';
import type { Container } from 'inversify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { containerWith, plain } from './support.ts';

/** A site with one recipient. */
class Directory extends MailDirectory {
  mayUseSender() {
    return false;
  }

  hasRecipient(recipient: string) {
    return recipient === 'joe@example.com';
  }

  ownersOf() {
    return [];
  }
}

describe('one container', () => {
  it('serves the auth server, its user look-up and HTTP with one portal and one throttle', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    container.load(dovecotAuthModule, dovecotUserdbModule, httpModule);
    container.bind(identifiers.Throttle).toConstantValue({ network: { failures: 1, window: 60_000 } });
    container.bind(identifiers.DovecotAuthOptions).toConstantValue({ limits: { loginFailureDelay: 0 } });
    bindAvatar(container, Identity).toConstantValue(identityOf);
    bindAvatar(container, MailDirectory).toConstantValue(() => new Directory());
    bindChecker(container, 'anonymous').toConstantValue(new AnonymousChecker());
    container
      .bind(identifiers.HttpHandler)
      .toConstantValue((request, response) => response.end(`page ${String(request.url)}`));
    const ask = await listening(container, 'dovecot-auth', 'dovecot-userdb', 'http');

    const login = `VERSION\t1\t0\nAUTH\t1\tPLAIN\tresp=${plain('joe', 'password')}\n`;
    expect(await ask('dovecot-auth', login, /^OK.*\n/m)).toMatch(/^OK\t1\tuser=joe$/m);
    expect(await ask('dovecot-userdb', 'USER\t1\tjoe@example.com\n', /^USER.*\n/m)).toContain(
      'USER\t1\tjoe@example.com',
    );
    expect(await ask('http', 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', /page.*/)).toMatch(
      /^page \/x$/m,
    );

    const fromClient = (password: string) =>
      `VERSION\t1\t0\nAUTH\t1\tPLAIN\trip=192.0.2.9\tresp=${plain('joe', password)}\n`;
    expect(await ask('dovecot-auth', fromClient('wrong'), /^FAIL.*\n/m)).toMatch(/^FAIL\t1$/m);
    // A temporary failure closes the connection.
    expect(await ask('dovecot-auth', fromClient('password'), /^(?:OK|FAIL)/m)).not.toMatch(/^(?:OK|FAIL)/m);
  });

  it('needs the avatar of each protocol, and a handler for HTTP', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    container.load(socketmapModule);
    await expect(listening(container, 'socketmap')).rejects.toThrow(
      'avatar MailDirectory: none is bound, and socketmap needs it; use bindAvatar',
    );
    const other = containerWith('hostname', 'avatar', 'checker');
    other.load(httpModule);
    await expect(listening(other, 'http')).rejects.toThrow('HTTP handler: none is bound; bind identifiers.HttpHandler');
  });

  it('has the options of each protocol', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    container.load(dovecotAuthModule);
    bindAvatar(container, Identity).toConstantValue(identityOf);
    container.bind(identifiers.DovecotAuthOptions).toConstantValue({ listGnuScram: true });
    const ask = await listening(container, 'dovecot-auth');
    expect(await ask('dovecot-auth', '', /^DONE$/m)).toMatch(/^MECH\tPLAIN/m);
  });
});

/** Starts the server with a UNIX socket for each scheme. Returns a client of one request. */
async function listening(container: Container, ...schemes: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'postern-inversify-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const scheme of schemes) {
    bindListener(container, scheme).toConstantValue({ endpoint: { scheme, path: join(folder, scheme) } });
  }
  const server = await start(container);
  onTestFinished(() => server.close());
  /** Sends the request. Resolves with what the server has said, once that matches or it closes. */
  return async (scheme: string, request: string, end: RegExp): Promise<string> => {
    const socket = connect(join(folder, scheme));
    let heard = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      heard += text;
      if (end.test(heard)) socket.end();
    });
    socket.write(request, 'latin1');
    await once(socket, 'close');
    return heard;
  };
}
