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
  it('turns away who comes to a house full of known peers, with the words of the protocol, until one leaves', async () => {
    const { port, accept, trouble, listener } = await served({
      limits: { maxConnections: 2 },
      refusal: '421 4.3.2 full\r\n',
    });
    const first = await plain(port);
    const conversation = await accept();
    await plain(port);
    for (const peer of [conversation, await accept()]) peer.standing = 'authenticated';
    expect(await heardBy(await plain(port))).toBe('421 4.3.2 full\r\n');
    expect(await trouble()).toMatchObject({ kind: 'refused', limit: 'connections', remote: { address: '127.0.0.1' } });
    expect(listener.connections).toBe(2);
    first.resetAndDestroy();
    await gone(conversation.signal);
    const next = await plain(port);
    next.write('here now\r\n');
    expect(await (await accept()).hearLine(100)).toBe('here now');
  });

  it('turns away a client that has too many connections, and takes others’', async () => {
    const { port, accept } = await served({
      endpoint: { host: '0.0.0.0', port: 0 },
      limits: { maxConnectionsPerClient: 1 },
      refusal: (excess, { address }) => `421 ${excess} ${address}\r\n`,
    });
    await plain(port, '127.0.0.2');
    expect(await heardBy(await plain(port, '127.0.0.2'))).toBe('421 connections-per-client 127.0.0.2\r\n');
    await plain(port, '127.0.0.3');
    expect((await accept()).transport.remote.address).toBe('127.0.0.2');
    expect((await accept()).transport.remote.address).toBe('127.0.0.3');
  });

  it('turns clients away while the connections hold all memory, and takes them again after', async () => {
    const memory = new MemoryBudget({ maxMemory: 20_000 });
    const { port, accept, trouble } = await served({
      conversation: { memory },
      refusal: (excess) => `421 4.3.2 ${excess}\r\n`,
    });
    const first = await plain(port);
    const conversation = await accept();
    await plain(port);
    await accept();
    expect(await heardBy(await plain(port))).toBe('421 4.3.2 memory\r\n');
    expect(await trouble()).toMatchObject({ kind: 'refused', limit: 'memory' });
    first.resetAndDestroy();
    await gone(conversation.signal);
    while (!memory.hasRoom) await settle();
    await plain(port);
    await accept();
  });

  it('says nothing in the clear where TLS comes first', async () => {
    const { server } = await testCertificates();
    const { port } = await served({
      tlsPolicy: 'implicit',
      certificates: await Certificates.load(server),
      limits: { maxConnections: 0 },
      refusal: '421 4.3.2 full\r\n',
    });
    expect(await heardBy(await plain(port))).toBe('');
  });

  it('with words that fail says nothing, and tells of the trouble', async () => {
    const { port, trouble } = await served({
      limits: { maxConnections: 0 },
      refusal: () => {
        throw new RangeError('no words');
      },
    });
    expect(await heardBy(await plain(port))).toBe('');
    expect(await trouble()).toMatchObject({ kind: 'protocol', error: { message: 'no words' } });
    expect(await trouble()).toMatchObject({ kind: 'refused' });
  });

  it('lets a flood of connections pass by without harm', async () => {
    const { port, accept, listener } = await served({ limits: { maxConnectionsPerClient: 5 } });
    const sockets = await Promise.all(Array.from({ length: 300 }, () => plain(port)));
    for (let at = 0; at < 5; at++) await accept();
    expect(listener.connections).toBe(5);
    for (const socket of sockets) socket.resetAndDestroy();
  });
});

describe('close', () => {
  it('tells the conversations, and waits for those that are in the middle of something', async () => {
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

  it('destroys those that are not done when the grace is over', async () => {
    const clock = new FakeClock();
    const { listener, port, accept, trouble } = await served({ conversation: { deadlines: new Deadlines(clock) } });
    const client = await plain(port);
    const conversation = await accept();
    const closing = listener.close({ shutdownTimeout: 5000 });
    await clock.advance(4000);
    expect(conversation.signal.aborted).toBe(false);
    await clock.advance(2000);
    await closing;
    expect(conversation.signal.aborted).toBe(true);
    expect(listener.connections).toBe(0);
    expect(await trouble()).toEqual({ kind: 'cut-off', connections: 1 });
    await heardBy(client);
  });

  it('waits also for a protocol that goes on after its connection', async () => {
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

  it('is done at once without connections, and the same as often as it is asked for', async () => {
    const listener = await listen({ endpoint: LOOPBACK, protocol: echo });
    expect(listener.close()).toBe(listener.close());
    await listener.close();
  });

  it('does not wait, when it closes, for who has not begun to speak', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { listener, port, trouble } = await served({ tlsPolicy: 'implicit', certificates });
    const silent = connectSocket(port, '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
    while (listener.connections === 0) await turns(1);
    await listener.close({ shutdownTimeout: 600_000 });
    // By itself it would have ended as well, much later.
    expect(await trouble()).toMatchObject({
      kind: 'handshake',
      error: expect.objectContaining({ message: 'the connection was closed during the handshake' }),
    });
  });

  it('ends a TLS handshake that hangs', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { listener, port, trouble } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    client.write(Buffer.of(0x16, 3, 1));
    while (listener.connections === 0) await new Promise(setImmediate);
    await listener.close({ shutdownTimeout: 0 });
    expect(await trouble()).toMatchObject({ kind: 'handshake' });
  });
});

describe('trouble', () => {
  it('with a protocol that fails is a bug: told, and its connection destroyed, and no other', async () => {
    const troubles = new Queue<ListenerError>();
    const bug = new TypeError('nobody thought of that');
    await using listener = await listen({
      endpoint: LOOPBACK,
      onError: (trouble) => troubles.put(trouble),
      protocol: async (conversation) => {
        if ((await conversation.hearLine(100)) === 'fail') throw bug;
        conversation.say('fine\r\n');
      },
    });
    const { port } = listener.address;
    const [good, bad] = [await plain(port), await plain(port)];
    bad.write('fail\r\n');
    expect(await troubles.take()).toMatchObject({ kind: 'protocol', error: bug, remote: { address: '127.0.0.1' } });
    expect(await heardBy(bad)).toBe('');
    good.end('go on\r\n');
    expect(await heardBy(good)).toBe('fine\r\n');
  });

  it('with a protocol that fails before its first promise is the same', async () => {
    const troubles = new Queue<ListenerError>();
    await using listener = await listen({
      endpoint: LOOPBACK,
      onError: (trouble) => troubles.put(trouble),
      protocol: () => {
        throw new RangeError('at once');
      },
    });
    expect(await heardBy(await plain(listener.address.port))).toBe('');
    expect(await troubles.take()).toMatchObject({ kind: 'protocol' });
  });

  it('with a client that left while it was heard is no bug', async () => {
    const troubles = new Queue<ListenerError>();
    await using listener = await listen({
      endpoint: LOOPBACK,
      onError: (trouble) => troubles.put(trouble),
      protocol: async (conversation) => void (await conversation.hearLine(100)),
    });
    const client = await plain(listener.address.port);
    client.end('no line end');
    expect(await troubles.take()).toMatchObject({ kind: 'conversation', error: { code: 'peer-gone' } });
  });

  it.each([
    ['garbage', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['noise', Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256))],
    ['half a ClientHello', Buffer.of(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3)],
    ['nothing', ''],
  ])('with %s instead of a handshake is told, and nobody else notices', async (_title, bytes) => {
    const { server, ca } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { port, accept, trouble } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    client.end(bytes);
    expect(await trouble()).toMatchObject({ kind: 'handshake', remote: { address: '127.0.0.1' } });
    await heardBy(client);
    await connect({ endpoint: { host: '127.0.0.1', port }, tlsPolicy: 'implicit', ca });
    expect((await accept()).transport.tls?.version).toBe('TLSv1.3');
  });

  it('with a reset in the middle of a handshake is told', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load(server);
    const { listener, port, trouble } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    while (listener.connections === 0) await new Promise(setImmediate);
    client.resetAndDestroy();
    expect(await trouble()).toMatchObject({ kind: 'handshake' });
    while (listener.connections > 0) await new Promise(setImmediate);
  });

  it('with a silent client is told after the time for a handshake', async () => {
    const { server } = await testCertificates();
    const certificates = await Certificates.load({ ...server, handshakeTimeout: 20 });
    const { port, trouble } = await served({ tlsPolicy: 'implicit', certificates });
    const client = await plain(port);
    expect(await trouble()).toMatchObject({ kind: 'handshake', error: { message: 'the handshake took too long' } });
    await heardBy(client);
  });

  it('without a hook is a warning of the process, where it is not the client’s doing', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const bug = new Error('a bug');
    await using listener = await listen({ endpoint: LOOPBACK, protocol: () => Promise.reject(bug) });
    for (let times = 0; times < 3; times++) await heardBy(await plain(listener.address.port));
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: 'a protocol failed: a bug', cause: bug }),
    );
  });

  it('in the hook for trouble harms nobody', async () => {
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
  it('that never reads makes the protocol wait, and costs no memory', async () => {
    const { port, accept } = await served();
    const client = await plain(port);
    client.pause();
    const { transport } = await accept();
    const piece = Buffer.alloc(64 * 1024, 'x');
    // What the kernel does not take in some turns of the loop, it may take later: then this begins again.
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

  it('that sends and sends is read ahead of so far, and no farther', async () => {
    const { port, accept } = await served();
    const client = await plain(port);
    const { transport } = await accept();
    const all = Buffer.alloc(64 * 1024 * 1024, 'x');
    client.write(all);
    // What the kernel and the transport hold is not in the client any more.
    for (let before = all.length + 1; client.writableLength < before; await turns(100)) before = client.writableLength;
    expect(client.writableLength).toBeGreaterThan(0);
    let octets = 0;
    while (octets < all.length) octets += (await readChunk(transport))?.length ?? 0;
    expect(octets).toBe(all.length);
  });

  it('that sends crumbs has them put together', async () => {
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

  it('that has ended its side is still answered', async () => {
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

/** So many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Promise(setImmediate);
}
