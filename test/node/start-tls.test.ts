import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { PeerGone } from '@postern/conversation';
import { Certificates, connect } from '@postern/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { served } from './served.ts';

describe('startTls', () => {
  it('drops the octets in the clear after STARTTLS', async () => {
    const { port, accept } = await offered();
    const raw = connectSocket(port, '127.0.0.1');
    raw.write('STARTTLS\r\nRSET\r\nMAIL FROM:<eve@example.com>\r\n');
    const conversation = await accept();
    expect(await conversation.hearLine(512)).toBe('STARTTLS');
    conversation.say('220 go ahead\r\n');
    const started = conversation.startTls();
    expect(String(await once(raw, 'data'))).toBe('220 go ahead\r\n');
    const secured = await handshake(raw);
    await started;
    secured.write('EHLO after\r\n');
    expect(await conversation.hearLine(512)).toBe('EHLO after');
    expect(conversation.hasInput).toBe(false);
  });

  it('drops the octets that were read ahead before', async () => {
    const { port, accept } = await offered();
    const raw = connectSocket(port, '127.0.0.1');
    raw.write('STARTTLS\r\n');
    const conversation = await accept();
    expect(await conversation.hearLine(512)).toBe('STARTTLS');
    raw.write('x'.repeat(200_000));
    raw.write('\r\nRSET\r\n', () => raw.emit('sent'));
    await once(raw, 'sent');
    const started = conversation.startTls();
    // Octets that arrive later belong to the handshake, and break it.
    const outcome = await Promise.race([
      started.then(
        () => 'started',
        (error: unknown) => error,
      ),
      handshake(raw).then(
        () => 'secured',
        () => new PeerGone(),
      ),
    ]);
    expect(outcome).toBeInstanceOf(PeerGone);
    await expect(async () => conversation.hearLine(512)).rejects.toThrow(PeerGone);
  });

  it('fails and closes the connection if the client sends no handshake', async () => {
    const { port, accept } = await offered();
    const raw = connectSocket(port, '127.0.0.1');
    raw.on('error', () => {});
    const conversation = await accept();
    const started = conversation.startTls();
    raw.write('RSET\r\nMAIL FROM:<eve@example.com>\r\n');
    await expect(started).rejects.toThrow(PeerGone);
    await once(raw.resume(), 'close');
    expect(() => conversation.transport.read()).toThrow(PeerGone);
    expect(conversation.transport.tls).toBeUndefined();
  });

  it('fails if the client is silent until the timeout', async () => {
    const { server } = await testCertificates();
    const { port, accept } = await served({
      certificates: await Certificates.load({ ...server, handshakeTimeout: 30 }),
    });
    const raw = connectSocket(port, '127.0.0.1');
    raw.on('error', () => {});
    await expect((await accept()).startTls()).rejects.toMatchObject({
      cause: { message: 'the handshake took too long' },
    });
    await once(raw.resume(), 'close');
  });

  it('fails if the client sends its hello too slowly', async () => {
    const { server } = await testCertificates();
    const { port, accept } = await served({
      certificates: await Certificates.load({ ...server, handshakeTimeout: 100 }),
    });
    const raw = connectSocket(port, '127.0.0.1');
    raw.on('error', () => {});
    raw.setNoDelay(true);
    // The header of a record of 512 octets, and then one octet at a time.
    raw.write(Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3));
    const drip = setInterval(() => raw.write('x'), 5);
    await expect((await accept()).startTls()).rejects.toThrow(PeerGone);
    clearInterval(drip);
  });

  it('sends all earlier octets in the clear first', async () => {
    const { port, accept } = await offered();
    const raw = connectSocket(port, '127.0.0.1');
    const { transport } = await accept();
    const much = 'much'.repeat(2_000_000);
    void transport.write(much);
    const started = transport.startTls?.();
    let octets = 0;
    for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
      octets += (chunk as Buffer).length;
      if (octets >= much.length) break;
    }
    expect(octets).toBe(much.length);
    await handshake(raw);
    await started;
    expect(transport.tls?.version).toBe('TLSv1.3');
  });

  it('runs many handshakes at the same time', async () => {
    const { ca } = await testCertificates();
    const { port, accept } = await offered();
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, at) => {
        return connect({
          endpoint: { host: '127.0.0.1', port },
          ca,
          serverName: `client-${at}.localhost`,
          unverified: true,
        });
      }),
    );
    const names = new Map(clients.map(({ local }, at) => [local.port, `client-${at}.localhost`]));
    const server = async () => {
      const { transport } = await accept();
      await transport.startTls?.();
      expect(transport.tls?.serverName).toBe(names.get(transport.remote.port));
    };
    await Promise.all([...clients.map((client) => client.startTls?.()), ...clients.map(server)]);
  });

  it.each([
    ['after the end of the handshake', 'Finished'],
    ['later', 'EHLO'],
  ])('accepts no octets in the clear from a man in the middle: %s', async (_title, behind) => {
    const { port, accept } = await offered();
    const upstream = connectSocket(port, '127.0.0.1');
    upstream.on('error', () => {});
    const between = await interceptor((socket) => {
      upstream.pipe(socket);
      // The client's second flight has the end of its handshake, and the third its first octets.
      let flights = behind === 'Finished' ? 2 : 3;
      socket.on('data', (data: Buffer) => {
        flights--;
        upstream.write(
          flights === 0 ? Buffer.concat([data, Buffer.from('RSET\r\nMAIL FROM:<eve@example.com>\r\n')]) : data,
        );
      });
    });
    const raw = connectSocket(between, '127.0.0.1');
    const conversation = await accept();
    const started = conversation.startTls();
    const secured = await handshake(raw);
    secured.on('error', () => {});
    await started;
    if (behind === 'EHLO') {
      secured.write('EHLO client\r\n');
      expect(await conversation.hearLine(512)).toBe('EHLO client');
    }
    await expect(async () => conversation.hearLine(512)).rejects.toThrow(PeerGone);
  });

  it('works once', async () => {
    const { ca } = await testCertificates();
    const { port, accept } = await offered();
    const client = await connect({ endpoint: { host: '127.0.0.1', port }, ca });
    const { transport } = await accept();
    await Promise.all([transport.startTls?.(), client.startTls?.()]);
    await expect(transport.startTls?.()).rejects.toThrow(TypeError);
  });

  it('is refused while a hear waits: the octets would belong to both', async () => {
    const { port, accept } = await offered();
    const client = await connect({ endpoint: { host: '127.0.0.1', port } });
    const conversation = await accept();
    const hearing = conversation.hearLine(100);
    await expect(conversation.startTls()).rejects.toThrow(TypeError);
    await client.write('x\r\n');
    expect(await hearing).toBe('x');
  });
});

async function offered() {
  const { server } = await testCertificates();
  return served({ certificates: await Certificates.load(server) });
}

/** Returns the port of a man in the middle. */
async function interceptor(intercept: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => intercept(socket.on('error', () => {})));
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Runs the client's half with Node alone. */
async function handshake(socket: ReturnType<typeof connectSocket>) {
  const { ca } = await testCertificates();
  const secured = connectTls({ socket, ca, servername: 'localhost' });
  await once(secured, 'secureConnect');
  return secured;
}
