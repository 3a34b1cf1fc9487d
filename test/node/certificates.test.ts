import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { type CertificateOptions, Certificates } from '@postern/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestAuthority, type TestCertificate, testCertificates } from '../support/certificates.ts';
import { served } from './served.ts';

describe('Certificates', () => {
  it('are read from files or given as they are', async () => {
    const { server } = await testCertificates();
    const files = written(server);
    for (const pair of [files, server, { cert: Buffer.from(server.cert), key: Buffer.from(server.key) }]) {
      const { port } = await implicit(pair);
      expect(certificateOf(await handshake(port))).toBe(idOf(server));
    }
  });

  it('of several kinds are all there: the client’s algorithms choose', async () => {
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
    ['a key file that is not there', { key: '/nowhere/key.pem' }, 'key: ENOENT'],
    ['a client CA that is not there', { clientCa: '/nowhere/ca.pem' }, 'client CA: ENOENT'],
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
    ['a client CA of which half is missing', { clientCa: '-----BEGIN CERTIFICATE-----\nAAAA\n' }, 'client CA: '],
    [
      'something that is no certificate',
      { cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      'certificate: ',
    ],
    [
      'a key that is no key',
      { key: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n' },
      'certificate: ',
    ],
    ['a cipher that is none', { ciphers: 'NONE-SUCH' }, 'certificate: '],
  ])('refuse %s, and say so', async (_title, options, message) => {
    const { server } = await testCertificates();
    await expect(Certificates.load({ ...server, ...options })).rejects.toThrow(message);
  });

  it('refuse a key that is another certificate’s, and name the file', async () => {
    const { authority, server } = await testCertificates();
    const files = written({ cert: server.cert, key: (await authority.server()).key });
    await expect(Certificates.load(files)).rejects.toThrow(`certificate ${files.cert}: `);
    await expect(Certificates.load({ ...server, named: [{ ...files, names: ['a.example'] }] })).rejects.toThrow(
      files.cert,
    );
  });

  it('take no version before TLS 1.2, and none before 1.3 if they are told so', async () => {
    const { server } = await testCertificates();
    const { port } = await implicit(server);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    await expect(handshake(port, old)).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    const { port: strict } = await implicit({ ...server, minVersion: 'TLSv1.3' });
    await expect(handshake(strict, { maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    });
  });

  it('do not negotiate again on an open connection', async () => {
    const { server } = await testCertificates();
    const { port } = await implicit(server);
    const socket = await handshake(port, { maxVersion: 'TLSv1.2' });
    const refused = Promise.withResolvers<Error | null>();
    socket.on('error', refused.resolve);
    socket.renegotiate({}, refused.resolve);
    expect(await refused.promise).toBeInstanceOf(Error);
  });

  it('agree on a protocol only if one is asked for', async () => {
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

describe('the certificate for a name', () => {
  it('is its own, or that with a star, or else the first', async () => {
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

  it('changes nothing about who vouches for clients, nor about resuming', async () => {
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
  it('gives new connections the new certificate, and leaves open ones alone', async () => {
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

  it('keeps what it has when a file is broken, and says what is wrong', async () => {
    const { server } = await testCertificates();
    const files = written(server);
    const certificates = await Certificates.load(files);
    const { port } = await served({ tlsPolicy: 'implicit', certificates });
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
      // What the second one does, if it does not wait for the first.
      for (let times = 0; times < 3; times++) await Certificates.load(files);
      writeSync(slow, server.key);
      closeSync(slow);
      await Promise.all([first, second]);
      expect(certificateOf(await handshake(port))).toBe(idOf(renewed));
    },
  );

  it('lets no session go on that another authority vouched for', async () => {
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

  it('keeps sessions where nothing has changed, also those of another process with the same secret', async () => {
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
    const { port: stranger } = await implicit(server);
    expect((await handshake(stranger, { session })).isSessionReused()).toBe(false);
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

/** The paths of the two in files. */
function written(pair: TestCertificate): TestCertificate {
  const files = { cert: join(directory(), 'cert.pem'), key: join(directory(), 'key.pem') };
  rewrite(files, pair);
  return files;
}

/** Opens a named pipe for writing as soon as somebody reads it. */
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
