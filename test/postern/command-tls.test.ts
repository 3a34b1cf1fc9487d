import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned, type TestCertificate, type TestCertificates, testCertificates } from '../support/certificates.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { said } from './said.ts';

let folder: string;
let made: TestCertificates;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-tls-'));
  made = await testCertificates();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('postern serve with a certificate', () => {
  it('prints smtps:// for implicit TLS, which clients that trust the authority can use', async () => {
    await using server = await startPostern(
      '--listen',
      'smtps://127.0.0.1:0',
      ...files('implicit', made.server),
      '--log',
      'silent',
    );
    expect(server.urls[0]?.protocol).toBe('smtps:');
    using client = await secure(server, made.ca);
    expect(await heard(client.socket)).toMatch(/^220 /);
  });

  it('reads the certificate again at SIGHUP, for new connections', async () => {
    const tls = files('reload', made.server);
    await using server = await startPostern('--listen', 'smtps://127.0.0.1:0', ...tls);
    using before = await secure(server, made.ca);
    await heard(before.socket);

    const next = await selfSigned();
    files('reload', next);
    server.process.kill('SIGHUP');
    await said(server, /certificate read again/);
    using after = await secure(server, next.cert);
    expect(await heard(after.socket)).toMatch(/^220 /);
    expect(after.socket.getPeerX509Certificate()?.toString()).toBe(next.cert.trim().concat('\n'));

    before.socket.write('NOOP\r\n');
    expect(await heard(before.socket)).toMatch(/^250 /);
  });

  it('keeps the old certificate if the new one cannot be used', async () => {
    const tls = files('broken', made.server);
    await using server = await startPostern('--listen', 'smtps://127.0.0.1:0', ...tls);
    files('broken', { cert: 'no certificate', key: made.server.key });
    server.process.kill('SIGHUP');
    await said(server, /the certificate cannot be used, the old one stays/);
    using client = await secure(server, made.ca);
    expect(await heard(client.socket)).toMatch(/^220 /);
  });
});

/** The options for a certificate, which is written into files of that name. */
function files(name: string, { cert, key }: TestCertificate): string[] {
  const [certFile, keyFile] = [join(folder, `${name}-cert.pem`), join(folder, `${name}-key.pem`)];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return ['--tls-cert', certFile, '--tls-key', keyFile];
}

interface Connected extends Disposable {
  readonly socket: TLSSocket;
}

async function secure({ urls: [url] }: RunningPostern, ca: string): Promise<Connected> {
  const socket = connect({ host: '127.0.0.1', port: Number(url?.port), ca }).setEncoding('latin1');
  await once(socket, 'secureConnect');
  return { socket, [Symbol.dispose]: () => void socket.destroy() };
}

async function heard(socket: TLSSocket): Promise<string> {
  const [text] = (await once(socket, 'data')) as [string];
  return text;
}
