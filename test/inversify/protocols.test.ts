import { once } from 'node:events';
import { connect } from 'node:net';
import { AnonymousChecker, Identity, identityOf, TrustedLoginChecker } from '@postern/cred';
import { MailDirectory } from '@postern/dovecot-auth';
import { InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import { ImapBackEnd } from '@postern/imap';
import {
  bindAvatar,
  bindChecker,
  bindListener,
  dovecotAuthModule,
  identifiers,
  imapModule,
  managesieveModule,
  policyModule,
  pop3Module,
  saslauthdModule,
  socketmapModule,
  start,
} from '@postern/inversify';
import { SieveBackEnd } from '@postern/managesieve';
import type { Server } from '@postern/node';
import { InMemoryMailbox, Mailbox } from '@postern/pop3';
import type { Container } from 'inversify';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineClient } from '../support/line-client.ts';
import { containerWith, plain } from './support.ts';

describe('one container', () => {
  it('serves SMTP, POP3, IMAP and ManageSieve with one portal, one throttle and one hostname', async () => {
    const container = withMailboxes();
    container.load(imapModule, managesieveModule);
    container.bind(identifiers.Throttle).toConstantValue({ network: { failures: 1, window: 60_000 } });
    bindAvatar(container, ImapBackEnd).toConstantValue(
      () => new ImapBackEnd({ connect: () => Promise.reject(new Error('no back end')) }),
    );
    bindAvatar(container, SieveBackEnd).toConstantValue(
      () => new SieveBackEnd({ connect: () => Promise.reject(new Error('no back end')) }),
    );
    listen(container, 'smtp', 'pop3', 'imap', 'sieve');
    const server = await started(container);
    const response = plain('joe', 'password');
    expect(await say(server, 0, 'EHLO client.example', `AUTH PLAIN ${response}`, 'QUIT')).toMatch(/^235 /m);
    expect(await say(server, 1, `AUTH PLAIN ${response}`, 'STAT', 'QUIT')).toMatch(/^\+OK 1 /m);
    expect(await say(server, 2, `a AUTHENTICATE PLAIN ${response}`, 'b LOGOUT')).toMatch(/^a NO \[UNAVAILABLE\]/m);
    expect(await say(server, 3, `AUTHENTICATE "PLAIN" "${response}"`, 'LOGOUT')).toMatch(/^NO \(TRYLATER\)/m);
    expect(await say(server, 1, `AUTH PLAIN ${plain('joe', 'wrong')}`, 'QUIT')).toMatch(/^-ERR \[AUTH\]/m);
    // The throttle has seen the wrong password at POP3.
    expect(await say(server, 0, 'EHLO client.example', `AUTH PLAIN ${response}`, 'QUIT')).toMatch(/^454 /m);
  });

  it('serves the mail servers of others on the same portal', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    container.load(dovecotAuthModule, saslauthdModule, policyModule, socketmapModule);
    bindAvatar(container, Identity).toConstantValue(identityOf);
    bindAvatar(container, MailDirectory).toConstantValue(() => new NoAddresses());
    bindChecker(container, 'anonymous').toConstantValue(new AnonymousChecker());
    bindChecker(container, 'trusted').toConstantValue(new TrustedLoginChecker());
    listen(container, 'dovecot-auth', 'saslauthd', 'policy', 'socketmap');
    const server = await started(container);
    const auth = `VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tresp=${plain('joe', 'password')}\n`;
    expect(await exchange(server, 0, auth, /^OK.*\n/m)).toContain('OK\t1\tuser=joe\n');
    expect(await exchange(server, 1, '\0\x03joe\0\x08password\0\x04smtp\0\0', /OK/)).toContain('OK');
    const question = 'request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=x@example.com\n\n';
    expect(await exchange(server, 2, question, /\n\n/)).toMatch(/^action=550 /);
    expect(await exchange(server, 3, '24:recipients x@example.com,', /,/)).toBe('9:NOTFOUND ,');
  });

  it('has the options of each protocol, and the differences of one listener', async () => {
    const container = withMailboxes();
    container.bind(identifiers.Pop3Options).toConstantValue({ disabledLoginCommands: ['USER'] });
    listen(container, 'pop3');
    bindListener(container, 'other').toResolvedValue(
      (pop3) => ({ endpoint: { host: '127.0.0.1', port: 0 }, protocol: pop3({ hostname: 'other.example' }) }),
      [identifiers.Pop3],
    );
    const server = await started(container);
    expect(await say(server, 0, 'CAPA', 'QUIT')).not.toMatch(/^USER/m);
    expect(await say(server, 1, 'QUIT')).toMatch(/^\+OK other\.example /);
  });

  it('serves no other protocol on a listener whose module is missing', async () => {
    const container = containerWith('hostname', 'avatar', 'checker');
    listen(container, 'pop3s');
    await expect(start(container)).rejects.toThrow('listener pop3s: has no protocol; load the module of pop3s');
  });

  it('needs the avatar of each protocol', async () => {
    const container = containerWith('hostname', 'avatar', 'checker', 'listener');
    container.load(pop3Module);
    await expect(start(container)).rejects.toThrow('avatar Mailbox: none is bound, and POP3 needs it; use bindAvatar');
  });
});

function withMailboxes(): Container {
  const container = containerWith('hostname', 'checker');
  container.load(pop3Module);
  bindAvatar(container, MessageDelivery).toConstantValue(() => new InMemoryDelivery());
  bindAvatar(container, Mailbox).toConstantValue(() => new InMemoryMailbox(['Subject: Hello\r\n\r\nHi\r\n']));
  return container;
}

function listen(container: Container, ...schemes: readonly string[]): void {
  for (const scheme of schemes) {
    bindListener(container, scheme).toConstantValue({ endpoint: { scheme, host: '127.0.0.1', port: 0 } });
  }
}

async function started(container: Container): Promise<Server> {
  const server = await start(container);
  onTestFinished(() => server.close());
  return server;
}

/** Sends the octets to a listener, and returns the answer up to the end that `form` matches. */
async function exchange(server: Server, listener: number, octets: string, form: RegExp): Promise<string> {
  using client = new LineClient(connect(server.listeners[listener]?.address.port ?? 0, '127.0.0.1'));
  client.socket.write(octets, 'latin1');
  return await client.hear(new RegExp(`^[\\s\\S]*?(?:${form.source})`, form.flags));
}

/** A site without addresses. */
class NoAddresses extends MailDirectory {
  mayUseSender(): boolean {
    return false;
  }

  hasRecipient(): boolean {
    return false;
  }

  ownersOf(): readonly string[] {
    return [];
  }
}

/** Sends the lines to a listener, and returns the replies until the server closes. */
async function say(server: Server, listener: number, ...lines: readonly string[]): Promise<string> {
  const socket = connect(server.listeners[listener]?.address.port ?? 0, '127.0.0.1');
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  socket.write(lines.map((line) => `${line}\r\n`).join(''));
  await once(socket, 'close');
  return heard;
}
