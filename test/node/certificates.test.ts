import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { type CertificateOptions, Certificates, EncryptedKey } from '@postern/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestAuthority, type TestCertificate, testCertificates } from '../support/certificates.ts';
import { served } from './served.ts';

describe('Certificates', () => {
  it('load from files and from PEM texts', async () => {
    const { server } = await testCertificates();
    const files = written(server);
    for (const pair of [files, server, { cert: Buffer.from(server.cert), key: Buffer.from(server.key) }]) {
      const { port } = await implicit(pair);
      expect(certificateOf(await handshake(port))).toBe(idOf(server));
    }
  });

  it('of several key types serve clients by their algorithms', async () => {
    const { authority, server } = await testCertificates();
    const rsa = await authority.server(undefined, { algorithm: RSA });
    const { port } = await implicit({ cert: [server.cert, rsa.cert], key: [server.key, rsa.key] });
    const options = { maxVersion: 'TLSv1.2' } as const;
    const ecdsa = await handshake(port, { ...options, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
    expect(certificateOf(ecdsa)).toBe(idOf(server));
    expect(certificateOf(await handshake(port, { ...options, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }))).toBe(
      idOf(rsa),
    );
  });

  it.each([
    [
      'a file that is not there',
      { cert: '/nowhere/cert.pem' },
      "certificate: ENOENT: no such file or directory, open '/nowhere/cert.pem'",
    ],
    // Node 26 names the folder in its own message, and older versions do not.
    ['a folder in place of a file', { cert: import.meta.dirname }, /^certificate.*: EISDIR/],
    ['a folder in place of a file', { cert: import.meta.dirname }, import.meta.dirname],
    ['a key file that does not exist', { key: '/nowhere/key.pem' }, 'key: ENOENT'],
    ['a client CA that does not exist', { clientCa: '/nowhere/ca.pem' }, 'client CA: ENOENT'],
    [
      'a client CA that is none',
      { clientCa: Buffer.from('no certificate') },
      'client CA: there is no certificate in PEM form',
    ],
    [
      'a client CA whose certificate is broken',
      { clientCa: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      'client CA: ',
    ],
    ['a truncated client CA', { clientCa: '-----BEGIN CERTIFICATE-----\nAAAA\n' }, 'client CA: '],
    [
      'something that is no certificate',
      { cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      'certificate: ',
    ],
    ['an invalid key', { key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' }, 'key: '],
    ['an unknown cipher', { ciphers: 'NONE-SUCH' }, 'certificate: '],
  ])('reject %s with an error', async (_title, options, message) => {
    const { server } = await testCertificates();
    await expect(Certificates.load({ ...server, ...options })).rejects.toThrow(message);
  });

  it('reject a key of another certificate and name the file', async () => {
    const { authority, server } = await testCertificates();
    const files = written({ cert: server.cert, key: (await authority.server()).key });
    await expect(Certificates.load(files)).rejects.toThrow(`certificate ${files.cert}: `);
    await expect(Certificates.load({ ...server, named: [{ ...files, names: ['a.example'] }] })).rejects.toThrow(
      files.cert,
    );
  });

  it('reject a key of another type, which OpenSSL does not compare', async () => {
    const { authority, server } = await testCertificates();
    const rsa = await authority.server(undefined, { algorithm: RSA });
    const files = written({ cert: rsa.cert, key: server.key });
    await expect(Certificates.load(files)).rejects.toThrow(
      `certificate ${files.cert}: its key is of type rsa, and not key ${files.key} (ec); expected the key of this certificate`,
    );
    const named = [{ cert: server.cert, key: rsa.key, names: ['a.example'] }];
    await expect(Certificates.load({ ...server, named })).rejects.toThrow('its key is of type ec, and not key (rsa)');
  });

  it('reject a key of several that matches no certificate', async () => {
    const { authority, server } = await testCertificates();
    const rsa = await authority.server(undefined, { algorithm: RSA });
    const { key } = await authority.server(undefined, { algorithm: RSA });
    await expect(Certificates.load({ cert: [server.cert, rsa.cert], key: [server.key, key] })).rejects.toThrow(
      'its key is of type rsa',
    );
    await expect(Certificates.load({ cert: server.cert, key: [server.key, rsa.key] })).rejects.toThrow(
      'key: matches none of the certificates',
    );
    await Certificates.load({ cert: [server.cert, rsa.cert], key: [rsa.key, server.key] });
  });

  it('reject a file with the authority before the server’s certificate', async () => {
    const { ca, server } = await testCertificates();
    await expect(Certificates.load({ cert: `${ca}\n${server.cert}`, key: server.key })).rejects.toThrow(
      'certificate: the key matches a later certificate of the file; expected that certificate first',
    );
  });

  it.each([
    ['PKCS #8', { type: 'pkcs8', format: 'pem' }],
    ['the older form', { type: 'sec1', format: 'pem' }],
  ] as const)('take an encrypted key in %s with its passphrase, and name its file without', async (_title, form) => {
    const { server } = await testCertificates();
    const key = createPrivateKey(server.key).export({ ...form, cipher: 'aes-256-cbc', passphrase: 'open sesame' });
    const files = written({ cert: server.cert, key: String(key) });
    await expect(Certificates.load(files)).rejects.toThrow(
      new EncryptedKey(`key ${files.key}: encrypted; expected its passphrase`),
    );
    await expect(Certificates.load({ ...files, passphrase: 'open barley' })).rejects.toThrow(
      new EncryptedKey(`key ${files.key}: the passphrase does not decrypt it`),
    );
    const { port } = await implicit({ ...files, passphrase: 'open sesame' });
    expect(certificateOf(await handshake(port))).toBe(idOf(server));
    const named = [{ ...files, names: ['mail.example'], passphrase: async () => 'open sesame' }];
    const { port: other } = await implicit({ ...server, named, onWarning() {} });
    expect(certificateOf(await handshake(other, { servername: 'mail.example' }))).toBe(idOf(server));
  });

  it('load a key after the parameters of its curve, and a file with certificate and key', async () => {
    const { server } = await testCertificates();
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const sec1 = String(createPrivateKey(server.key).export({ type: 'sec1', format: 'pem' }));
    const both = `${server.cert}\n${sec1}`;
    for (const pair of [
      { cert: server.cert, key: parameters + sec1 },
      { cert: both, key: both },
      { cert: server.key + server.cert, key: server.key + server.cert },
    ]) {
      const { port } = await implicit(pair);
      expect(certificateOf(await handshake(port))).toBe(idOf(server));
    }
  });

  it('serve no version before TLS 1.2, or before TLS 1.3 with `minVersion`', async () => {
    const { server } = await testCertificates();
    const { port } = await implicit(server);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    await expect(handshake(port, old)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    const { port: strict } = await implicit({ ...server, minVersion: 'TLSv1.3' });
    await expect(handshake(strict, { maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  it('refuse a renegotiation', async () => {
    const { server } = await testCertificates();
    const { port } = await implicit(server);
    const socket = await handshake(port, { maxVersion: 'TLSv1.2' });
    const refused = Promise.withResolvers<Error | null>();
    socket.on('error', refused.resolve);
    socket.renegotiate({}, refused.resolve);
    expect(await refused.promise).toBeInstanceOf(Error);
  });

  it('negotiate a protocol (ALPN) only with the option', async () => {
    const { server } = await testCertificates();
    const { port } = await implicit(server);
    expect((await handshake(port, { ALPNProtocols: ['smtp'] })).alpnProtocol).toBe(false);
    const { port: asking } = await implicit({ ...server, alpn: ['smtp'] });
    expect((await handshake(asking, { ALPNProtocols: ['http/1.1', 'smtp'] })).alpnProtocol).toBe('smtp');
    expect((await handshake(asking)).alpnProtocol).toBe(false);
    await expect(handshake(asking, { ALPNProtocols: ['http/1.1'] })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });
  });
});

describe('a warning', () => {
  const DAY = 24 * 60 * 60 * 1000;

  it('names a certificate that is expired or not valid yet, at each load', async () => {
    const { authority } = await testCertificates();
    const notAfter = new Date(Math.trunc(Date.now() / 1000) * 1000 - DAY / 2);
    const files = written(await authority.server(undefined, { notAfter }));
    const { warnings, certificates } = await warned(files);
    const validTo = new X509Certificate(readFileSync(files.cert)).validTo;
    expect(warnings).toEqual([`certificate ${files.cert}: expired on ${validTo}`]);

    const notBefore = new Date(Date.now() + DAY);
    rewrite(files, await authority.server(undefined, { notBefore }));
    await certificates.reload();
    expect(warnings[1]).toMatch(`certificate ${files.cert}: not valid before `);

    rewrite(files, await authority.server());
    await certificates.reload();
    expect(warnings).toHaveLength(2);
  });

  it('names a chain in the wrong order', async () => {
    const { ca, server } = await testCertificates();
    const { cert: other } = await TestAuthority.create('Another');
    expect((await warned({ ...server, cert: `${server.cert}\n${ca}` })).warnings).toEqual([]);
    expect((await warned({ ...server, cert: [server.cert, other, ca].join('\n') })).warnings).toEqual([
      expect.stringMatching(/^certificate: number 2, CN=Another: did not issue the certificate before it/),
      expect.stringMatching(/^certificate: number 3, CN=Test Authority: did not issue the certificate before it/),
    ]);
  });

  it('names a certificate without one of its names', async () => {
    const { authority, server } = await testCertificates();
    const star = await authority.server(['*.example.com', 'example.com']);
    const names = ['mail.example.com', '*.example.com', 'example.com', 'a.b.example.com', '*.example.org'];
    expect((await warned({ ...server, named: [{ ...star, names }] })).warnings).toEqual([
      'certificate: is not for the name a.b.example.com',
      'certificate: is not for the name *.example.org',
    ]);
  });

  it('is a warning of the process by default', async () => {
    const { authority } = await testCertificates();
    const warning = once(process, 'warning') as Promise<[Error]>;
    await Certificates.load(await authority.server(undefined, { notAfter: new Date(Date.now() - 1000) }));
    expect((await warning)[0].message).toMatch(/^certificate: expired on /);
  });

  async function warned(options: CertificateOptions) {
    const warnings: string[] = [];
    const certificates = await Certificates.load({ ...options, onWarning: (warning) => warnings.push(warning) });
    return { warnings, certificates };
  }
});

describe('the certificate of a server name', () => {
  it('is by default a certificate with the name', async () => {
    const { authority, server } = await testCertificates();
    const other = await authority.server(['mail.example.com', '*.example.org', '127.0.0.1']);
    const { port } = await implicit({ ...server, named: [other] });
    for (const servername of ['mail.example.com', 'a.example.org']) {
      expect(certificateOf(await handshake(port, { servername }))).toBe(idOf(other));
    }
    expect(certificateOf(await handshake(port, { servername: 'mail.example.net' }))).toBe(idOf(server));
    const nameless = await authority.server(['127.0.0.1']);
    await expect(Certificates.load({ ...server, named: [nameless] })).rejects.toThrow(
      'certificate: has no host name; expected one in it, or in names',
    );
  });

  it('is the one of the name, the one of its wildcard, or the first', async () => {
    const { authority, server } = await testCertificates();
    const [own, star] = await Promise.all([
      authority.server(['mail.example.com']),
      authority.server(['*.example.com']),
    ]);
    const { port } = await implicit({
      ...server,
      named: [
        { ...star, names: ['*.example.com'] },
        { ...own, names: ['mail.example.com', 'Mail.Example.ORG'] },
      ],
    });
    const chosen = async (servername: string) => certificateOf(await handshake(port, { servername }));
    expect(await chosen('mail.example.com')).toBe(idOf(own));
    expect(await chosen('MAIL.example.org')).toBe(idOf(own));
    expect(await chosen('imap.example.com')).toBe(idOf(star));
    expect(await chosen('a.b.example.com')).toBe(idOf(server));
    expect(await chosen('example.com')).toBe(idOf(server));
    expect(await chosen('')).toBe(idOf(server));
  });

  it('has the same client authorities and session tickets', async () => {
    const { authority, server, client, ca } = await testCertificates();
    const named = [{ ...(await authority.server(['mail.example.com'])), names: ['mail.example.com'] }];
    const { port, accept } = await implicit({ ...server, named, clientCa: ca });
    const socket = connectTls({ port, ca, servername: 'mail.example.com', ...client });
    const [session] = (await once(socket.resume(), 'session')) as [Buffer];
    expect((await accept()).transport.tls?.peerCertificate?.verified).toBe(true);
    const again = await handshake(port, { servername: 'mail.example.com', session, ...client });
    expect(again.isSessionReused()).toBe(true);
    expect((await accept()).transport.tls?.peerCertificate?.verified).toBe(true);
  });
});

describe('reload', () => {
  it('gives new connections the new certificate and keeps open connections', async () => {
    const { authority, server } = await testCertificates();
    const renewed = await authority.server();
    const files = written(server);
    const certificates = await Certificates.load(files);
    const { port, accept } = await served({ tlsPolicy: 'implicit', certificates });
    const before = await handshake(port);
    const conversation = await accept();
    rewrite(files, renewed);
    await certificates.reload();
    expect(certificateOf(await handshake(port))).toBe(idOf(renewed));
    expect(certificateOf(before)).toBe(idOf(server));
    before.write('still here\r\n');
    expect(await conversation.hearLine(100)).toBe('still here');
  });

  it('rejects a broken file and keeps the certificates in use', async () => {
    const { authority, server } = await testCertificates();
    const files = written(server);
    const certificates = await Certificates.load(files);
    const { port } = await served({ tlsPolicy: 'implicit', certificates });
    const { key } = await authority.server(undefined, { algorithm: RSA });
    rewrite(files, { cert: server.cert, key });
    await expect(certificates.reload()).rejects.toThrow(`certificate ${files.cert}: its key is of type ec`);
    expect(certificateOf(await handshake(port))).toBe(idOf(server));
    rewrite(files, { cert: 'half a certif', key: server.key });
    await expect(certificates.reload()).rejects.toThrow(`certificate ${files.cert}: `);
    expect(certificateOf(await handshake(port))).toBe(idOf(server));
    rmSync(files.cert);
    await expect(certificates.reload()).rejects.toThrow('ENOENT');
    expect(certificateOf(await handshake(port))).toBe(idOf(server));
    rewrite(files, server);
    await certificates.reload();
    expect(certificateOf(await handshake(port))).toBe(idOf(server));
  });

  it.skipIf(process.platform === 'win32')(
    'of which there are two at a time ends with what was there last',
    async () => {
      const { authority, server } = await testCertificates();
      const renewed = await authority.server();
      const files = written(server);
      const certificates = await Certificates.load(files);
      const { port } = await served({ tlsPolicy: 'implicit', certificates });
      rmSync(files.key);
      spawnSync('mkfifo', [files.key]);
      const first = certificates.reload();
      const slow = await writerOf(files.key);
      renameSync(files.key, `${files.key}.old`);
      rewrite(files, renewed);
      const second = certificates.reload();
      // The second reload reads this, if it does not wait for the first.
      for (let times = 0; times < 3; times++) await Certificates.load(files);
      writeSync(slow, server.key);
      closeSync(slow);
      await Promise.all([first, second]);
      expect(certificateOf(await handshake(port))).toBe(idOf(renewed));
    },
  );

  it('resumes no session that another authority verified', async () => {
    const { server, client, ca } = await testCertificates();
    const file = join(directory(), 'ca.pem');
    writeFileSync(file, ca);
    const certificates = await Certificates.load({ ...server, clientCa: file });
    const { port, accept } = await served({ tlsPolicy: 'implicit', certificates });
    const socket = connectTls({ port, ca, servername: 'localhost', ...client });
    const [session] = (await once(socket.resume(), 'session')) as [Buffer];
    expect((await accept()).transport.tls?.peerCertificate?.verified).toBe(true);
    writeFileSync(file, (await TestAuthority.create('Another')).cert);
    await certificates.reload();
    const again = await handshake(port, { session, ...client });
    expect(again.isSessionReused()).toBe(false);
    expect((await accept()).transport.tls?.peerCertificate?.verified).toBe(false);
  });

  it('resumes sessions without a change, also of another process with the same secret', async () => {
    const { server, ca } = await testCertificates();
    const ticketSecret = Buffer.alloc(48, 7);
    const certificates = await Certificates.load({ ...server, ticketSecret });
    const { port } = await served({ tlsPolicy: 'implicit', certificates });
    const socket = connectTls({ port, ca, servername: 'localhost' });
    const [session] = (await once(socket.resume(), 'session')) as [Buffer];
    await certificates.reload();
    expect((await handshake(port, { session })).isSessionReused()).toBe(true);
    const { port: other } = await implicit({ ...server, ticketSecret });
    expect((await handshake(other, { session })).isSessionReused()).toBe(true);
    const { port: otherPort } = await implicit(server);
    expect((await handshake(otherPort, { session })).isSessionReused()).toBe(false);
  });
});

async function implicit(options: CertificateOptions) {
  return served({ tlsPolicy: 'implicit', certificates: await Certificates.load(options) });
}

async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { ca } = await testCertificates();
  const socket = connectTls({ port, ca, servername: 'localhost', checkServerIdentity: () => undefined, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

function certificateOf(socket: TLSSocket): string {
  return socket.getPeerX509Certificate()?.fingerprint256 ?? 'none';
}

function idOf({ cert }: TestCertificate): string {
  return new X509Certificate(cert).fingerprint256;
}

/** Writes both into files and returns the paths. */
function written(pair: TestCertificate): TestCertificate {
  const files = { cert: join(directory(), 'cert.pem'), key: join(directory(), 'key.pem') };
  rewrite(files, pair);
  return files;
}

/** Opens a named pipe for writing, which blocks until a reader opens it. */
async function writerOf(pipe: string): Promise<number> {
  for (;;) {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await new Promise(setImmediate);
    }
  }
}

function rewrite(files: TestCertificate, { cert, key }: TestCertificate): void {
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key);
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-certificates-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
