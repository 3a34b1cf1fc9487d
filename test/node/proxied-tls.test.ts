import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { esmtp, InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import { Certificates, type ListenOptions, listen } from '@postern/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { LineClient } from '../support/line-client.ts';
import { binaryHeader, vector } from './proxy-bytes.ts';
import { LOOPBACK, served } from './served.ts';

const CLIENT_SSL = 0x01;
const PLAIN = `AUTH PLAIN ${Buffer.from('\0joe\0secret').toString('base64')}`;

describe('TLS that a trusted proxy reports', () => {
  it('offers PLAIN to the client, no STARTTLS, and stands in the Received field', async () => {
    const { client, delivery } = await connected({ header: header(ssl(CLIENT_SSL)) });
    const extensions = await client.say('EHLO client.example');
    expect(extensions).toMatch(/^250[ -]AUTH .*PLAIN/m);
    expect(extensions).not.toMatch(/STARTTLS/);
    expect(await client.say(PLAIN)).toMatch(/^235 /);
    for (const line of ['MAIL FROM:<joe@example.com>', 'RCPT TO:<bob@example.com>', 'DATA']) await client.say(line);
    expect(await client.say('Subject: x\r\n\r\nHello\r\n.')).toMatch(/^250 /);
    expect(delivery.messages[0]?.text).toMatch(/^Received: from client\.example .*with ESMTPSA/s);
  });

  it('offers no channel binding: the channel ends at the proxy', async () => {
    const { client } = await connected({ header: header(ssl(CLIENT_SSL)) });
    expect(await client.say('EHLO client.example')).not.toMatch(/-PLUS/);
  });

  it.each([
    ['no TLS', []],
    ['TLS that the client does not have', [ssl(0)]],
    ['a certificate without TLS', [ssl(0x06)]],
  ])('offers no PLAIN where the proxy reports %s', async (_title, additions) => {
    const { client } = await connected({ header: header(...additions) });
    expect(await client.say('EHLO client.example')).not.toMatch(/PLAIN/);
    expect(await client.say(PLAIN)).toMatch(/^538 /);
  });

  it('satisfies a listener that requires TLS', async () => {
    const certificates = await Certificates.load((await testCertificates()).server);
    const { client } = await connected({
      header: header(ssl(CLIENT_SSL)),
      listener: { certificates, tlsPolicy: 'required' },
    });
    expect(await client.say('EHLO client.example')).toMatch(/^250[ -]AUTH .*PLAIN/m);
    expect(await client.say('STARTTLS')).toMatch(/^503 /);
    expect(await client.say(PLAIN)).toMatch(/^235 /);
  });

  it('replaces the proxy’s own TLS to this server', async () => {
    const certificates = await Certificates.load((await testCertificates()).server);
    const listener = { certificates, tlsPolicy: 'implicit' } as const;
    const { client } = await connected({ header: header(ssl(CLIENT_SSL)), listener });
    expect(await client.say('EHLO client.example')).not.toMatch(/-PLUS/);
  });
});

describe('a transport behind a trusted proxy', () => {
  it('has the version, the cipher and the server name as the proxy reports them, and no identity', async () => {
    const { tls } = await transportOf(
      header(
        vector(0x02, 'mail.example.com'),
        ssl(0x07, vector(0x21, 'TLSv1.3'), vector(0x22, 'joe'), vector(0x23, 'TLS_AES_256_GCM_SHA384')),
      ),
    );
    expect(tls).toMatchObject({
      version: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      serverName: 'mail.example.com',
      peerCertificate: undefined,
    });
    for (const type of ['tls-exporter', 'tls-server-end-point', 'tls-unique'] as const) {
      expect(tls?.channelBinding(type)).toBeUndefined();
    }
  });

  it('has no TLS if the peer is no trusted proxy, or the proxy speaks for itself (LOCAL)', async () => {
    const client = await transportOf(header(ssl(CLIENT_SSL)), '192.0.2.0/24');
    expect([client.remote.address, client.tls]).toEqual(['127.0.0.1', undefined]);
    const local = binaryHeader({ command: 0x20, family: 0, additions: [ssl(CLIENT_SSL)] });
    expect((await transportOf(local)).tls).toBeUndefined();
    expect((await transportOf(header(ssl(CLIENT_SSL)))).tls).toBeDefined();
  });

  it('has no octets from the report that forge a line', async () => {
    const forged = 'x\r\nReceived: y';
    const report = ssl(CLIENT_SSL, vector(0x21, forged), vector(0x23, forged));
    const { tls } = await transportOf(header(vector(0x02, forged), report));
    expect(tls).toMatchObject({ version: 'unknown', cipher: 'unknown', serverName: undefined });
  });
});

interface Options {
  readonly header: Buffer;
  readonly listener?: Partial<ListenOptions>;
}

/** Connects as a trusted proxy that forwards a client. */
async function connected({ header, listener: more }: Options) {
  const delivery = new InMemoryDelivery();
  const realm = new AvatarRealm().provide(MessageDelivery, () => delivery);
  const portal = new Portal(realm).register(new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'secret' }));
  const listener = await listen({
    endpoint: LOOPBACK,
    protocol: esmtp({ hostname: 'mail.example', portal }),
    proxy: { from: ['127.0.0.1'] },
    ...more,
  });
  onTestFinished(() => listener.close({ shutdownTimeout: 0 }));
  const socket = connect(listener.address.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(header);
  const { ca } = await testCertificates();
  const isImplicit = more?.tlsPolicy === 'implicit';
  const client = new LineClient(isImplicit ? connectTls({ socket, ca, servername: 'localhost' }) : socket);
  expect(await client.hear()).toMatch(/^220 /);
  return { client, delivery };
}

/**
 * The transport of a connection that begins with the header, at a listener that trusts proxies in
 * `from`.
 */
async function transportOf(header: Buffer, from = '127.0.0.1') {
  const { accept, port } = await served({ proxy: { from: [from] } });
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(header);
  return (await accept()).transport;
}

/** A PROXY header for a client at 192.0.2.1. */
function header(...additions: readonly Buffer[]): Buffer {
  return binaryHeader({ addresses: Buffer.of(192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 4, 0, 25), additions });
}

/** `PP2_TYPE_SSL` with these flags, and a certificate that the proxy has verified. */
function ssl(flags: number, ...parts: readonly Buffer[]): Buffer {
  return vector(0x20, Buffer.concat([Buffer.of(flags, 0, 0, 0, 0), ...parts]));
}
