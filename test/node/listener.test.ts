import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { type Conversation, Deadlines, MemoryBudget } from '@postern/conversation';
import { Certificates, connect, type ListenerError, listen } from '@postern/node';
import { FakeClock, listenTo, readChunk, settle } from '@postern/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { echo, heardBy } from './listener-support.ts';
import { gone, LOOPBACK, Queue, served } from './served.ts';

describe('limits', () => {
  it('refuse a client with the `refusal`, while known clients hold all connections', async () => {
    const { port, accept, nextError, listener } = await served({
      limits: { maxConnections: 2 },
      refusal: '421 4.3.2 full\r\n',
    });
    const first = await plain(port);
    const conversation = await accept();
    await plain(port);
    for (const peer of [conversation, await accept()]) peer.standing = 'authenticated';
    expect(await heardBy(await plain(port))).toBe('421 4.3.2 full\r\n');
    expect(await nextError()).toMatchObject({
      kind: 'refused',
      limit: 'connections',
      remote: { address: '127.0.0.1' },
    });
    expect(listener.connections).toBe(2);
    first.resetAndDestroy();
    await gone(conversation.signal);
    const next = await plain(port);
    next.write('here now\r\n');
    expect(await (await accept()).hearLine(100)).toBe('here now');
  });

  it('refuse a client with too many connections, and accept others', async () => {
    const { port, accept } = await served({
      endpoint: { host: '0.0.0.0', port: 0 },
      limits: { maxConnectionsPerClient: 1 },
      refusal: (limit, { address }) => `421 ${limit} ${address}\r\n`,
    });
    await plain(port, '127.0.0.2');
    expect(await heardBy(await plain(port, '127.0.0.2'))).toBe('421 connections-per-client 127.0.0.2\r\n');
    await plain(port, '127.0.0.3');
    expect((await accept()).transport.remote.address).toBe('127.0.0.2');
    expect((await accept()).transport.remote.address).toBe('127.0.0.3');
  });

  it('refuse clients while the connections hold all memory', async () => {
    const memory = new MemoryBudget({ maxMemory: 20_000 });
    const { port, accept, nextError } = await served({
      conversation: { memory },
      refusal: (limit) => `421 4.3.2 ${limit}\r\n`,
    });
    const first = await plain(port);
    const conversation = await accept();
    await plain(port);
    await accept();
    expect(await heardBy(await plain(port))).toBe('421 4.3.2 memory\r\n');
    expect(await nextError()).toMatchObject({ kind: 'refused', limit: 'memory' });
    first.resetAndDestroy();
    await gone(conversation.signal);
    while (!memory.hasRoom) await settle();
    await plain(port);
    await accept();
  });

  it('send nothing in the clear with implicit TLS', async () => {
    const { server } = await testCertificates();
    const { port } = await served({
      tlsPolicy: 'implicit',
      certificates: await Certificates.load(server),
      limits: { maxConnections: 0 },
      refusal: '421 4.3.2 full\r\n',
    });
    expect(await heardBy(await plain(port))).toBe('');
  });

  it('send nothing and report an error if the `refusal` function fails', async () => {
    const { port, nextError } = await served({
      limits: { maxConnections: 0 },
      refusal: () => {
        throw new RangeError('no words');
      },
    });
    expect(await heardBy(await plain(port))).toBe('');
    expect(await nextError()).toMatchObject({ kind: 'protocol', error: { message: 'no words' } });
    expect(await nextError()).toMatchObject({ kind: 'refused' });
  });

  it('survive a flood of connections', async () => {
    const { port, accept, listener } = await served({ limits: { maxConnectionsPerClient: 5 } });
    const sockets = await Promise.all(Array.from({ length: 300 }, () => plain(port)));
    for (let at = 0; at < 5; at++) await accept();
    expect(listener.connections).toBe(5);
    for (const socket of sockets) socket.resetAndDestroy();
  });
});

describe('close', () => {
  it('aborts the shutdown signal and waits for the protocols', async () => {
    const { listener, port, accept } = await served();
    const client = await plain(port);
    const conversation = await accept();
    let closed = false;
    const closing = listener.close().then(() => {
      closed = true;
    });
    expect(conversation.shutdownSignal.aborted).toBe(true);
    await refused(port);
    client.write('last\r\n');
    expect(await conversation.hearLine(100)).toBe('last');
    expect(closed).toBe(false);
    conversation.say('bye\r\n');
    client.end();
    await conversation.close();
    await closing;
    expect(await heardBy(client)).toBe('bye\r\n');
  });

  it('destroys the remaining connections after the timeout', async () => {
    const clock = new FakeClock();
    const { listener, port, accept, nextError } = await served({ conversation: { deadlines: new Deadlines(clock) } });
    const client = await plain(port);
    const conversation = await accept();
    const closing = listener.close({ shutdownTimeout: 5000 });
    await clock.advance(4000);
    expect(conversation.signal.aborted).toBe(false);
    await clock.advance(2000);
    await closing;
    expect(conversation.signal.aborted).toBe(true);
    expect(listener.connections).toBe(0);
    expect(await nextError()).toEqual({ kind: 'cut-off', connections: 1 });
    await heardBy(client);
  });

  it('waits for a protocol whose connection has closed', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const accepted = new Queue<Conversation>();
    const listener = await listen({
      endpoint: LOOPBACK,
      protocol: (conversation) => {
        accepted.put(conversation);
        return promise;
      },
    });
    (await plain(listener.address.port)).resetAndDestroy();
    await gone((await accepted.take()).signal);
    let closed = false;
    const closing = listener.close().then(() => {
      closed = true;
    });
    await refused(listener.address.port);
    expect(closed).toBe(false);
    resolve();
    await closing;
  });

  it('resolves at once without connections, and every call returns the same promise', async () => {
    const listener = await listen({ endpoint: LOOPBACK, protocol: echo });
    expect(listener.close()).toBe(listener.close());
    await listener.close();
  });

  it('does not wait for a connection without a conversation', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { listener, port, nextError } = await served({ tlsPolicy: 'implicit', certificates });
    const silent = connectSocket(port, '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
    while (listener.connections === 0) await turns(1);
    await listener.close({ shutdownTimeout: 600_000 });
    // The handshake timeout would end it much later.
    expect(await nextError()).toMatchObject({
      kind: 'handshake',
      error: expect.objectContaining({ message: 'the connection was closed during the handshake' }),
    });
  });

  it('ends a TLS handshake that hangs', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { listener, port, nextError } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    client.write(Buffer.of(0x16, 3, 1));
    while (listener.connections === 0) await new Promise(setImmediate);
    await listener.close({ shutdownTimeout: 0 });
    expect(await nextError()).toMatchObject({ kind: 'handshake' });
  });
});

describe('the errors of a listener', () => {
  it('name a protocol that fails, whose connection alone is destroyed', async () => {
    const errors = new Queue<ListenerError>();
    const bug = new TypeError('nobody thought of that');
    await using listener = await listen({
      endpoint: LOOPBACK,
      onError: (error) => errors.put(error),
      protocol: async (conversation) => {
        if ((await conversation.hearLine(100)) === 'fail') throw bug;
        conversation.say('fine\r\n');
      },
    });
    const { port } = listener.address;
    const [good, bad] = [await plain(port), await plain(port)];
    bad.write('fail\r\n');
    expect(await errors.take()).toMatchObject({ kind: 'protocol', error: bug, remote: { address: '127.0.0.1' } });
    expect(await heardBy(bad)).toBe('');
    good.end('go on\r\n');
    expect(await heardBy(good)).toBe('fine\r\n');
  });

  it('name a protocol that throws before its first promise', async () => {
    const errors = new Queue<ListenerError>();
    await using listener = await listen({
      endpoint: LOOPBACK,
      onError: (error) => errors.put(error),
      protocol: () => {
        throw new RangeError('at once');
      },
    });
    expect(await heardBy(await plain(listener.address.port))).toBe('');
    expect(await errors.take()).toMatchObject({ kind: 'protocol' });
  });

  it('name a client that disconnects during a hear, which is no failure of the protocol', async () => {
    const errors = new Queue<ListenerError>();
    await using listener = await listen({
      endpoint: LOOPBACK,
      onError: (error) => errors.put(error),
      protocol: async (conversation) => void (await conversation.hearLine(100)),
    });
    const client = await plain(listener.address.port);
    client.end('no line end');
    expect(await errors.take()).toMatchObject({ kind: 'conversation', error: { code: 'peer-gone' } });
  });

  it.each([
    ['garbage', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['noise', Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256))],
    ['half a ClientHello', Buffer.of(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3)],
    ['nothing', ''],
  ])('name a client that sends %s instead of a handshake, and other clients continue', async (_title, bytes) => {
    const { server, ca } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { port, accept, nextError } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    client.end(bytes);
    expect(await nextError()).toMatchObject({ kind: 'handshake', remote: { address: '127.0.0.1' } });
    await heardBy(client);
    await connect({ endpoint: { host: '127.0.0.1', port }, tlsPolicy: 'implicit', ca });
    expect((await accept()).transport.tls?.version).toBe('TLSv1.3');
  });

  it('name a client that resets the connection during a handshake', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { listener, port, nextError } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    while (listener.connections === 0) await new Promise(setImmediate);
    client.resetAndDestroy();
    expect(await nextError()).toMatchObject({ kind: 'handshake' });
    while (listener.connections > 0) await new Promise(setImmediate);
  });

  it('name a client that is silent until the handshake timeout', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load({ ...server, handshakeTimeout: 20 });
    const { port, nextError } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    expect(await nextError()).toMatchObject({ kind: 'handshake', error: { message: 'the handshake took too long' } });
    await heardBy(client);
  });

  it('become warnings of the process without `onError`, except a client’s faults', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const bug = new Error('a bug');
    await using listener = await listen({ endpoint: LOOPBACK, protocol: () => Promise.reject(bug) });
    for (let times = 0; times < 3; times++) await heardBy(await plain(listener.address.port));
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: 'a protocol failed: a bug', cause: bug }),
    );
  });

  it('of `onError` itself become warnings', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    await using listener = await listen({
      endpoint: LOOPBACK,
      limits: { maxConnections: 0 },
      onError: () => {
        throw new Error('in the hook');
      },
      protocol: echo,
    });
    expect(await heardBy(await plain(listener.address.port))).toBe('');
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: 'onError failed: in the hook', cause: new Error('in the hook') }),
    );
  });
});

describe('a peer', () => {
  it('that never reads makes the protocol wait, and occupies no memory', async () => {
    const { port, accept } = await served();
    const client = await plain(port);
    client.pause();
    const { transport } = await accept();
    const piece = Buffer.alloc(64 * 1024, 'x');
    // The kernel may accept more octets some turns later: then the loop runs again.
    let waits = false;
    let waiting: Promise<void> = Promise.resolve();
    let grown = 0;
    while (!waits) {
      const writing = transport.write(piece);
      if (!writing) continue;
      waits = true;
      waiting = writing;
      void writing.then(
        () => {
          waits = false;
        },
        () => {},
      );
      await turns(20);
      const before = process.memoryUsage().arrayBuffers;
      await turns(20);
      grown = process.memoryUsage().arrayBuffers - before;
    }
    expect(grown).toBeLessThan(1024 * 1024);
    const rejected = expect(waiting).rejects.toThrow('the connection is closed');
    transport.destroy();
    await rejected;
  });

  it('that sends without end is read ahead up to a bound', async () => {
    const { port, accept } = await served();
    const client = await plain(port);
    const { transport } = await accept();
    const all = Buffer.alloc(64 * 1024 * 1024, 'x');
    client.write(all);
    // Octets in the kernel and in the transport have left the client.
    for (let before = all.length + 1; client.writableLength < before; await turns(100)) before = client.writableLength;
    expect(client.writableLength).toBeGreaterThan(0);
    let octets = 0;
    while (octets < all.length) octets += (await readChunk(transport))?.length ?? 0;
    expect(octets).toBe(all.length);
  });

  it('that sends small chunks has them merged', async () => {
    const { port, accept } = await served();
    const client = await plain(port);
    const { transport } = await accept();
    for (let at = 0; at < 500; at++) {
      client.write(String(at % 10));
      await turns(1);
    }
    client.end();
    const ended = Promise.withResolvers<void>();
    listenTo(transport, { onEnd: ended.resolve });
    const chunks: Uint8Array[] = [];
    while (Buffer.concat(chunks).length < 500) chunks.push((await readChunk(transport)) ?? new Uint8Array());
    await ended.promise;
    expect(Buffer.concat(chunks).toString()).toBe('0123456789'.repeat(50));
    expect(chunks.length).toBeLessThan(10);
  });

  it('that has ended its side still gets replies', async () => {
    const { port, accept } = await served();
    const client = await plain(port);
    client.end('question\r\n');
    const conversation = await accept();
    expect(await conversation.hearLine(100)).toBe('question');
    expect(await conversation.hearLine(100)).toBeUndefined();
    conversation.say('answer\r\n');
    await conversation.close();
    expect(await heardBy(client)).toBe('answer\r\n');
  });
});

async function plain(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connectSocket({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function refused(port: number): Promise<void> {
  await expect(connect({ endpoint: { host: '127.0.0.1', port } })).rejects.toMatchObject({
    cause: { code: 'ECONNREFUSED' },
  });
}

/** Waits for some turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Promise(setImmediate);
}
