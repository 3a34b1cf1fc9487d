import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsInfo } from '@postern/conversation';
import { type CertificateOptions, Certificates, tlsInfo } from '@postern/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { selfSigned, TestAuthority, type TestCertificate, testCertificates } from '../support/certificates.ts';
import { expectDone } from '../support/program.ts';
import { type Served, served } from './served.ts';

const BINDINGS = ['tls-exporter', 'tls-server-end-point', 'tls-unique'] as const;

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('the information of %s', (version) => {
  it('has the version, the cipher’s IANA name, and the server name', async () => {
    const { info, client } = await meet(await implicit(), { maxVersion: version });
    expect(info.version).toBe(version);
    expect(info.cipher).toBe(client.getCipher().standardName);
    expect(info.cipher).toMatch(/^TLS_[A-Z0-9_]+$/);
    expect(info.serverName).toBe('localhost');
  });

  it('has no server name if the client sent none', async () => {
    const { info } = await meet(await implicit(), { maxVersion: version, servername: '' });
    expect(info.serverName).toBeUndefined();
  });

  it('has the same channel bindings at both ends, also after the close', async () => {
    const { info, client, close } = await meet(await implicit(), { maxVersion: version });
    const atClient = tlsInfo(client, 'client');
    await close();
    for (const type of BINDINGS) expect(info.channelBinding(type)).toEqual(atClient.channelBinding(type));
    expect(info.channelBinding('tls-exporter')).toHaveLength(32);
    expect(info.channelBinding('tls-server-end-point')).toHaveLength(32);
    expect(info.channelBinding('tls-unique')?.length).toBe(version === 'TLSv1.2' ? 12 : undefined);
  });

  it('has the same channel bindings at both ends of a resumed session, and new ones', async () => {
    const server = await implicit();
    const first = await meet(server, { maxVersion: version });
    const session = await first.session;
    await first.close();
    const second = await meet(server, { maxVersion: version, session });
    expect(second.client.isSessionReused()).toBe(true);
    const atClient = tlsInfo(second.client, 'client');
    expect(second.info.channelBinding('tls-exporter')).toEqual(atClient.channelBinding('tls-exporter'));
    for (const info of [second.info, atClient]) expect(info.channelBinding('tls-unique')).toBeUndefined();
    expect(second.info.channelBinding('tls-exporter')).not.toEqual(first.info.channelBinding('tls-exporter'));
    expect(second.info.channelBinding('tls-server-end-point')).toEqual(
      first.info.channelBinding('tls-server-end-point'),
    );
  });

  it('has the verified certificate of a client', async () => {
    const { ca, client } = await testCertificates();
    const { info } = await meet(await implicit({ clientCa: ca }), { maxVersion: version, ...client });
    expect(info.peerCertificate).toEqual({
      verified: true,
      subject: 'CN=joe',
      subjectAltName: 'email:joe@example.com',
      fingerprint256: new X509Certificate(client.cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    });
  });

  it('has the verdict on the certificate also in a resumed session', async () => {
    const { ca, client } = await testCertificates();
    const server = await implicit({ clientCa: ca });
    const first = await meet(server, { maxVersion: version, ...client });
    const session = await first.session;
    await first.close();
    const { info, client: resumed } = await meet(server, { maxVersion: version, session, ...client });
    expect(resumed.isSessionReused()).toBe(true);
    expect(info.peerCertificate).toEqual(first.info.peerCertificate);
    expect(info.peerCertificate?.verified).toBe(true);
  });

  it.each([
    ['of another authority', async () => (await TestAuthority.create('Nobody we know')).client()],
    ['without an authority', () => selfSigned()],
    [
      'that has expired',
      async () =>
        (await testCertificates()).authority.client('CN=joe', undefined, { notAfter: new Date(Date.now() - 60_000) }),
    ],
    ['for servers', async () => (await testCertificates()).server],
  ])('has a certificate %s as not verified', async (_title, makeCertificate) => {
    const { ca } = await testCertificates();
    const { info } = await meet(await implicit({ clientCa: ca }), {
      maxVersion: version,
      ...(await makeCertificate()),
    });
    expect(info.peerCertificate?.verified).toBe(false);
    expect(info.peerCertificate?.fingerprint256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has no certificate of a client that sent none, also in a resumed session', async () => {
    const { ca } = await testCertificates();
    const server = await implicit({ clientCa: ca });
    const first = await meet(server, { maxVersion: version });
    expect(first.info.peerCertificate).toBeUndefined();
    const session = await first.session;
    await first.close();
    const second = await meet(server, { maxVersion: version, session });
    expect(second.client.isSessionReused()).toBe(true);
    expect(second.info.peerCertificate).toBeUndefined();
  });

  it('has no certificate of a client if the server asked for none', async () => {
    const { client } = await testCertificates();
    const { info } = await meet(await implicit(), { maxVersion: version, ...client });
    expect(info.peerCertificate).toBeUndefined();
  });
});

describe('a renegotiation under TLS 1.2', () => {
  it('is refused: tls-unique would be that of another handshake', async () => {
    const { client, close } = await meet(await implicit(), { maxVersion: 'TLSv1.2' });
    const failed = new Promise<Error | null>((resolve) => {
      client.once('error', resolve);
      client.renegotiate({}, resolve);
    });
    expect(await failed).toBeInstanceOf(Error);
    await close();
  });
});

describe('tls-server-end-point', () => {
  it.each([
    ['sha256', { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-1' }],
    ['sha384', { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }],
    ['sha512', { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-512' }],
    ['sha256', { ...RSA('RSASSA-PKCS1-v1_5'), hash: 'SHA-256' }],
    ['sha512', { ...RSA('RSASSA-PKCS1-v1_5'), hash: 'SHA-512' }],
    ['sha256', { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }],
    ['sha256', { ...RSA('RSA-PSS'), hash: 'SHA-256', saltLength: 32 }],
    ['sha512', { ...RSA('RSA-PSS'), hash: 'SHA-512', saltLength: 64 }],
  ])('is the %s of a certificate with a signature of %o', async (algorithm, signature) => {
    const pair = await selfSigned(signature);
    const { info } = await meet(await implicit(pair), { rejectUnauthorized: false });
    const expected = createHash(algorithm).update(new X509Certificate(pair.cert).raw).digest();
    expect(info.channelBinding('tls-server-end-point')).toEqual(expected);
  });

  it.each(['sha1', 'sha224', 'sha256', 'sha384'])('is the hash of RSASSA-PSS with %s', async (hash) => {
    const pair = await pssSigned(hash, hash);
    const { info } = await meet(await implicit(pair), { rejectUnauthorized: false });
    const algorithm = hash === 'sha1' ? 'sha256' : hash;
    const expected = createHash(algorithm).update(new X509Certificate(pair.cert).raw).digest();
    expect(info.channelBinding('tls-server-end-point')).toEqual(expected);
  });

  it.each([
    ['Ed25519, which has no hash function', () => selfSigned({ name: 'Ed25519' })],
    ['RSASSA-PSS with two hash functions', () => pssSigned('sha256', 'sha384')],
  ])('does not exist with %s', async (_title, pair) => {
    const { info } = await meet(await implicit(await pair()), { rejectUnauthorized: false });
    expect(info.channelBinding('tls-server-end-point')).toBeUndefined();
    expect(info.channelBinding('tls-exporter')).toHaveLength(32);
  });
});

async function implicit(options: Partial<CertificateOptions> = {}): Promise<Served> {
  const { server } = await testCertificates();
  return served({ tlsPolicy: 'implicit', certificates: await Certificates.load({ ...server, ...options }) });
}

interface Meeting {
  readonly info: TlsInfo;
  readonly client: TLSSocket;
  /** The session that the client can resume. */
  readonly session: Promise<Buffer>;
  readonly close: () => Promise<void>;
}

async function meet({ port, accept }: Served, options: ConnectionOptions): Promise<Meeting> {
  const { ca } = await testCertificates();
  const client = connectTls({
    port,
    host: '127.0.0.1',
    ca,
    servername: 'localhost',
    ...options,
    checkServerIdentity: () => undefined,
  });
  client.resume();
  onTestFinished(() => void client.destroy());
  const session = once(client, 'session').then(([session]) => session as Buffer);
  // Some tests do not use it.
  session.catch(() => {});
  await once(client, 'secureConnect');
  const conversation = await accept();
  const info = conversation.transport.tls;
  if (info === undefined) throw new Error('no TLS');
  return {
    info,
    client,
    session,
    async close() {
      const closed = once(client, 'close');
      await conversation.close();
      await closed;
    },
  };
}

/** Signs with OpenSSL: Web Crypto has one hash function for both, and no SHA-3. */
async function pssSigned(hash: string, maskHash: string): Promise<TestCertificate> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-pss-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const signature = ['rsa_padding_mode:pss', `rsa_mgf1_md:${maskHash}`].flatMap((option) => ['-sigopt', option]);
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-noenc', '-subj', '/CN=localhost', `-${hash}`];
  await expectDone('openssl', [...request, ...signature, '-keyout', key, '-out', cert]);
  const pair = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  rmSync(folder, { recursive: true });
  return pair;
}

function RSA(name: string) {
  return { name, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
}
