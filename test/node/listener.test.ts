import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, createServer, Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Conversation, Deadlines, MemoryBudget, type Protocol } from '@postern/conversation';
import { Certificates, connect, ListenError, type ListenerError, type ListenOptions, listen } from '@postern/node';
import { FakeClock, listenTo, readChunk, settle } from '@postern/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { gone, LOOPBACK, Queue, served } from './served.ts';

describe('listen', () => {
  it('tells the real port, in the address and in the URL', async () => {
    await using listener = await listen({ endpoint: { scheme: 'smtp', ...LOOPBACK }, protocol: echo });
    const { port } = listener.address;
    expect(port).toBeGreaterThan(0);
    expect(listener.address).toEqual({ family: 'IPv4', address: '127.0.0.1', port });
    expect(listener.url).toBe(`smtp://127.0.0.1:${port}`);
    expect(await say(port, 'hello')).toBe('hello');
  });

  it('listens on IPv6', async () => {
    const { listener, accept, port } = await served({ endpoint: { scheme: 'smtp', host: '::1', port: 0 } });
    expect(listener.url).toBe(`smtp://[::1]:${port}`);
    const client = await connect({ endpoint: { host: '::1', port }, tlsPolicy: 'none' });
    const { remote, local } = (await accept()).transport;
    expect(remote).toEqual({ family: 'IPv6', address: '::1', port: client.local.port });
    expect(local).toEqual({ family: 'IPv6', address: '::1', port });
  });

  it('listens on every address, and tells each connection which it came by, IPv4 as IPv4', async () => {
    const { accept, port } = await served({ endpoint: { host: '*', port: 0 } });
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      await connect({ endpoint: { host, port }, tlsPolicy: 'none' });
      const { remote, local } = (await accept()).transport;
      expect(local).toEqual({ family: 'IPv4', address: host, port });
      expect(remote.family).toBe('IPv4');
    }
  });

  it('shares a port with other processes if it is told to', async () => {
    await using first = await listen({ endpoint: LOOPBACK, protocol: echo, reusePort: true });
    const endpoint = { host: '127.0.0.1', port: first.address.port };
    await using second = await listen({ endpoint, protocol: echo, reusePort: true });
    expect(second.address.port).toBe(first.address.port);
    await expect(listen({ endpoint, protocol: echo })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('says in a sentence why it cannot listen', async () => {
    await using listener = await listen({ endpoint: LOOPBACK, protocol: smtp });
    const endpoint = { host: '127.0.0.1', port: listener.address.port };
    const error: unknown = await listen({ endpoint, protocol: smtp }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      message: `cannot listen on ${listener.url}: another program listens there already (EADDRINUSE)`,
      code: 'EADDRINUSE',
      endpoint: { scheme: 'smtp', ...endpoint },
      cause: { syscall: 'listen' },
    });
    await expect(listen({ endpoint: { host: '192.0.2.1', port: 2525 }, protocol: echo })).rejects.toThrow(
      'cannot listen on tcp://192.0.2.1:2525: this machine does not have that address (EADDRNOTAVAIL)',
    );
    await expect(listen({ endpoint: { path: '/nowhere/socket' }, protocol: smtp })).rejects.toThrow(
      'cannot listen on smtp+unix:/nowhere/socket: this user may not write there, or there is no such folder (EACCES)',
    );
  });

  it('leaves a port that is none to Node’s own error', async () => {
    await expect(listen({ endpoint: { host: '127.0.0.1', port: 65_536 }, protocol: echo })).rejects.toThrow(RangeError);
  });

  it('has the scheme of the protocol in its URL, and of TLS from the first byte', async () => {
    const certificates = await Certificates.load((await testCertificates()).server);
    const schemeOf = async (options: Partial<ListenOptions>) => {
      await using listener = await listen({ endpoint: LOOPBACK, protocol: smtp, ...options });
      return [listener.url.replace(/:.*/, ''), listener.tlsPolicy];
    };
    expect(await schemeOf({})).toEqual(['smtp', 'none']);
    expect(await schemeOf({ certificates })).toEqual(['smtp', 'offered']);
    expect(await schemeOf({ certificates, tlsPolicy: 'implicit' })).toEqual(['smtps', 'implicit']);
    expect(await schemeOf({ certificates, endpoint: { ...LOOPBACK, scheme: 'smtps' } })).toEqual(['smtps', 'implicit']);
    expect(await schemeOf({ protocol: echo })).toEqual(['tcp', 'none']);
    await expect(schemeOf({ endpoint: { ...LOOPBACK, scheme: 'smtps' } })).rejects.toThrow(
      'TLS is implicit, but there are no certificates',
    );
  });

  it('wants certificates for TLS', async () => {
    await expect(listen({ endpoint: LOOPBACK, protocol: echo, tlsPolicy: 'required' })).rejects.toThrow(
      'TLS is required, but there are no certificates',
    );
  });
});

describe('a UNIX socket', () => {
  it('is there with the permissions asked for, and gone after the close', async () => {
    const path = join(directory(), 'socket');
    const listener = await listen({ endpoint: { scheme: 'lmtp', path }, protocol: echo, mode: 0o600 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(listener.url).toBe(`lmtp+unix:${path}`);
    expect(listener.address).toEqual({ family: 'unix', address: path, port: 0 });
    expect(await say(path, 'hello')).toBe('hello');
    await listener.close();
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  it('is never open to more than the permissions asked for, whatever the umask', async () => {
    const path = join(directory(), 'socket');
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const original = Reflect.get(Server.prototype, 'listen') as (...args: unknown[]) => Server;
    let atFirst: number | undefined;
    const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args: unknown[]) {
      Reflect.apply(original, this, args);
      atFirst = statSync(path).mode & 0o777;
      return this;
    });
    onTestFinished(() => spy.mockRestore());
    const listener = await listen({ endpoint: { scheme: 'lmtp', path }, protocol: echo, mode: 0o600 });
    expect(atFirst).toBe(0o600);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0);
    await listener.close();
  });

  it('takes the place of one whose server is gone', async () => {
    const path = join(directory(), 'socket');
    await stale(path);
    await using listener = await listen({ endpoint: { path }, protocol: echo });
    expect(listener.connections).toBe(0);
    expect(await say(path, 'hello')).toBe('hello');
  });

  it('does not take the place of one whose server answers', async () => {
    const path = join(directory(), 'socket');
    await using _first = await listen({ endpoint: { path }, protocol: echo });
    await expect(listen({ endpoint: { path }, protocol: echo })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await say(path, 'still here')).toBe('still here');
  });

  it('does not take the place of a file', async () => {
    const path = join(directory(), 'file');
    writeFileSync(path, 'precious');
    await expect(listen({ endpoint: { path }, protocol: echo })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(statSync(path).size).toBe(8);
  });
});

describe('limits', () => {
  it('turns away who comes to a house full of known peers, with the words of the protocol, until one leaves', async () => {
    const { port, accept, trouble, listener } = await served({
      limits: { maxConnections: 2 },
      refusal: '421 4.3.2 full\r\n',
    });
    const first = await plain(port);
    const conversation = await accept();
    await plain(port);
    for (const peer of [conversation, await accept()]) peer.standing = 'known';
    expect(await heardBy(await plain(port))).toBe('421 4.3.2 full\r\n');
    expect(await trouble()).toMatchObject({ kind: 'refused', excess: 'connections', remote: { address: '127.0.0.1' } });
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
    expect(await trouble()).toMatchObject({ kind: 'refused', excess: 'memory' });
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

const smtp: Protocol = Object.assign(async () => {}, { scheme: 'smtp' });

const echo: Protocol = async (conversation) => {
  conversation.say((await conversation.hearLine(1000)) ?? '');
};

async function plain(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connectSocket({ host: '127.0.0.1', port, localAddress, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** All that the socket hears until its end. */
async function heardBy(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed && !socket.readableEnded) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return Buffer.concat(chunks).toString();
}

/** Says one line and hears the answer. */
async function say(where: number | string, line: string): Promise<string> {
  const socket = typeof where === 'number' ? connectSocket(where, '127.0.0.1') : connectSocket(where);
  socket.end(`${line}\r\n`);
  return heardBy(socket);
}

async function refused(port: number): Promise<void> {
  await expect(connect({ endpoint: { host: '127.0.0.1', port } })).rejects.toMatchObject({
    cause: { code: 'ECONNREFUSED' },
  });
}

/** Leaves a socket file behind as a server does that was killed. */
async function stale(path: string): Promise<void> {
  const away = `${path}-away`;
  const server = createServer().listen(away);
  await once(server, 'listening');
  renameSync(away, path);
  server.close();
  await once(server, 'close');
}

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'postern-listener-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** So many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Promise(setImmediate);
}
