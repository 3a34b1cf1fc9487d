import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned, type TestCertificate, type TestCertificates, testCertificates } from '../support/certificates.ts';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import { CONFIG, type ServingPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

let folder: string;
let made: TestCertificates;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-tls-'));
  made = await testCertificates();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('postern serve with a certificate', () => {
  it('prints smtps:// for implicit TLS and serves a client that trusts the authority', async () => {
    await using server = await startInProcess(
      '--listen',
      'smtps://127.0.0.1:0',
      ...files('implicit', made.server),
      '--log',
      'silent',
    );
    expect(server.urls[0]?.protocol).toBe('smtps:');
    using client = await secure(server, made.ca);
    expect(await client.hear()).toMatch(/^220 /);
  });

  it('reads the certificate again at SIGHUP and shows it to new connections', async () => {
    const tls = files('reload', made.server);
    await using server = await startInProcess('--listen', 'smtps://127.0.0.1:0', ...tls);
    using before = await secure(server, made.ca);
    await before.hear();

    const next = await selfSigned();
    files('reload', next);
    server.kill('SIGHUP');
    await server.said(/certificate read again/);
    using after = await secure(server, next.cert);
    expect(await after.hear()).toMatch(/^220 /);
    expect(after.certificate).toBe(next.cert.trim().concat('\n'));

    expect(await before.say('NOOP')).toMatch(/^250 /);
  });

  it('keeps the old certificate if the new one is invalid', async () => {
    const tls = files('broken', made.server);
    await using server = await startInProcess('--listen', 'smtps://127.0.0.1:0', ...tls);
    files('broken', { cert: 'no certificate', key: made.server.key });
    server.kill('SIGHUP');
    await server.said(/the certificate cannot be used, the old one stays/);
    using client = await secure(server, made.ca);
    expect(await client.hear()).toMatch(/^220 /);
  });

  it('keeps the old certificate if the new key is of another type', async () => {
    const tls = files('mixed', made.server);
    const rsa = await selfSigned(RSA);
    await using server = await startInProcess('--listen', 'smtps://127.0.0.1:0', ...tls);
    files('mixed', { cert: rsa.cert, key: made.server.key });
    server.kill('SIGHUP');
    await server.said(
      /the certificate cannot be used, the old one stays .*its key is of type rsa, and not key .*\(ec\)/,
    );
    using client = await secure(server, made.ca);
    expect(await client.hear()).toMatch(/^220 /);
  });

  it('does not start with a key of another type', async () => {
    const rsa = await selfSigned(RSA);
    const tls = files('other-type', { cert: made.server.cert, key: rsa.key });
    const { code, output } = await runInProcess(['serve', ...tls]);
    expect(output).toMatch(/^postern: --tls-cert, --tls-key: .*its key is of type ec, and not key \S+ \(rsa\)/);
    expect(code).toBe(2);
  });

  it('reads the passphrase of an encrypted key from a file, and asks for one if it is missing', async () => {
    const [form, cipher] = [{ type: 'pkcs8', format: 'pem' } as const, 'aes-256-cbc'];
    const key = createPrivateKey(made.server.key).export({ ...form, cipher, passphrase: 'open sesame' });
    const tls = files('encrypted', { cert: made.server.cert, key: String(key) });
    const { code, output } = await runInProcess(['serve', ...tls]);
    expect(output).toBe(
      `postern: --tls-cert, --tls-key: expected PEM files: key ${tls[3]}: encrypted; expected its passphrase ` +
        '(--tls-passphrase-file FILE, or passphrase beside the key in the config file)\n',
    );
    expect(code).toBe(2);

    const passphrase = join(folder, 'passphrase');
    writeFileSync(passphrase, 'open sesame\n');
    await using server = await startInProcess(
      ...words`--listen smtps://127.0.0.1:0 ${tls} --tls-passphrase-file ${passphrase} --log silent`,
    );
    using client = await secure(server, made.ca);
    expect(await client.hear()).toMatch(/^220 /);
    const missing = join(folder, 'no-passphrase');
    const failed = await runInProcess(['serve', ...tls, '--tls-passphrase-file', missing]);
    expect(failed.output).toContain(`passphrase: ENOENT: no such file or directory, open '${missing}'`);
  });

  it('chooses the certificate by server name, and reloads all certificates or none', async () => {
    const names = ['mail.example.com', '*.example.org'];
    files('first', made.server);
    files('named', await made.authority.server(names));
    const config = join(folder, 'named.config.mjs');
    const pair = (name: string) => ({ cert: join(folder, `${name}-cert.pem`), key: join(folder, `${name}-key.pem`) });
    writeFileSync(config, `export default ${JSON.stringify({ tls: { ...pair('first'), named: [pair('named')] } })}`);
    await using server = await startInProcess(...words`--listen smtps://127.0.0.1:0 --config ${config}`);
    const nameFor = async (servername: string) => {
      using client = await secure(server, made.ca, { servername, checkServerIdentity: () => undefined });
      return new X509Certificate(client.certificate ?? '').subject;
    };
    expect(await nameFor('mail.example.com')).toBe('CN=mail.example.com');
    expect(await nameFor('imap.example.org')).toBe('CN=mail.example.com');
    expect(await nameFor('localhost')).toBe('CN=localhost');

    files('first', await made.authority.server(['new.example.com']));
    files('named', { cert: 'no certificate', key: made.server.key });
    server.kill('SIGHUP');
    await server.said(/the old one stays/);
    expect(await nameFor('localhost')).toBe('CN=localhost');
    files('named', await made.authority.server(['new.example.org', ...names]));
    server.kill('SIGHUP');
    await server.said(/certificate read again/);
    expect(await nameFor('localhost')).toBe('CN=new.example.com');
    expect(await nameFor('mail.example.com')).toBe('CN=new.example.org');
  });

  it('warns of a certificate that has expired, at the start and at SIGHUP', async () => {
    const expired = await made.authority.server(undefined, { notAfter: new Date(Date.now() - 60_000) });
    await using server = await startInProcess('--listen', 'smtps://127.0.0.1:0', ...files('expired', expired));
    await server.said(/warn {2}certificate \S+expired-cert\.pem: expired on /);
    server.kill('SIGHUP');
    await server.said(/warn {2}certificate \S+expired-cert\.pem: expired on /, 2);
  });

  it('asks clients for a certificate of the client CA and then offers EXTERNAL', async () => {
    const clientCa = join(folder, 'client-ca.pem');
    writeFileSync(clientCa, made.ca);
    await using server = await startInProcess(
      ...words`--listen smtps://127.0.0.1:0 ${files('external', made.server)} --tls-client-ca ${clientCa} --config ${CONFIG}`,
      ...words`--deliver discard --log silent`,
    );
    using joe = await secure(server, made.ca, made.client);
    await joe.hear();
    expect(await joe.say('EHLO joe.example.com')).toMatch(/^250[- ]AUTH .*\bEXTERNAL\b/m);
    expect(await joe.say('AUTH EXTERNAL =')).toMatch(/^235 /);

    using nobody = await secure(server, made.ca);
    await nobody.hear();
    expect(await nobody.say('EHLO nobody.example.com')).not.toContain('EXTERNAL');
    expect(await nobody.say('AUTH EXTERNAL =')).toMatch(/^504 /);
  });

  it('logs the version and cipher of implicit TLS', async () => {
    await using server = await startInProcess('--listen', 'smtps://127.0.0.1:0', ...files('logged', made.server));
    using client = await secure(server, made.ca);
    await client.hear();
    await server.said(/info {2}connected .*version=TLSv1\.3 cipher=TLS_/);
  });

  it('refuses a TLS version below minVersion of the config file', async () => {
    const config = join(folder, 'postern.config.mjs');
    writeFileSync(config, `export default { tls: { cert: '', key: '', minVersion: 'TLSv1.3' } };`);
    await using server = await startInProcess(
      ...words`--listen smtps://127.0.0.1:0 ${files('strict', made.server)} --config ${config} --log silent`,
    );
    const weak = connect({ host: '127.0.0.1', port: Number(server.urls[0]?.port), ca: made.ca, maxVersion: 'TLSv1.2' });
    await expect(once(weak, 'secureConnect')).rejects.toThrow(/protocol version/);
    using strong = await secure(server, made.ca);
    expect(await strong.hear()).toMatch(/^220 /);
  });

  it('does not start with an invalid client CA and names the option', async () => {
    const clientCa = join(folder, 'no-ca.pem');
    writeFileSync(clientCa, 'no certificate');
    const tls = files('no-ca', made.server);
    const { code, output } = await runInProcess(['serve', ...tls, '--tls-client-ca', clientCa]);
    expect(output).toContain('--tls-client-ca: expected PEM files: client CA: there is no certificate');
    expect(code).toBe(2);
  });
});

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};

/** Writes the certificate into files of that name and returns the options for them. */
function files(name: string, { cert, key }: TestCertificate): string[] {
  const [certFile, keyFile] = [join(folder, `${name}-cert.pem`), join(folder, `${name}-key.pem`)];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
  return ['--tls-cert', certFile, '--tls-key', keyFile];
}

async function secure({ urls: [url] }: ServingPostern, ca: string, own?: ConnectionOptions): Promise<SecureClient> {
  const socket = connect({ host: '127.0.0.1', port: Number(url?.port), ca, ...own });
  await once(socket, 'secureConnect');
  return new SecureClient(socket);
}

class SecureClient extends LineClient {
  /** The certificate of the server, in PEM form. */
  readonly certificate: string | undefined;

  constructor(socket: TLSSocket) {
    super(socket);
    this.certificate = socket.getPeerX509Certificate()?.toString();
  }
}
