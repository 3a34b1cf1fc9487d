import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { connect as connectSocket, createServer, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Protocol } from '@postern/conversation';
import { Certificates, connect, ListenError, type ListenOptions, listen } from '@postern/node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { echo, heardBy } from './listener-support.ts';
import { LOOPBACK, served } from './served.ts';

const smtp: Protocol = Object.assign(async () => {}, { scheme: 'smtp' });

describe('listen', () => {
  it('has the real port in the address and in the URL', async () => {
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

  it('listens on every address; a connection’s local address is the one in use, IPv4 as IPv4', async () => {
    const { accept, port } = await served({ endpoint: { host: '*', port: 0 } });
    for (const host of ['127.0.0.1', '127.0.0.2']) {
      await connect({ endpoint: { host, port }, tlsPolicy: 'none' });
      const { remote, local } = (await accept()).transport;
      expect(local).toEqual({ family: 'IPv4', address: host, port });
      expect(remote.family).toBe('IPv4');
    }
  });

  it('shares a port with other processes with `reusePort`', async () => {
    await using first = await listen({ endpoint: LOOPBACK, protocol: echo, reusePort: true });
    const endpoint = { host: '127.0.0.1', port: first.address.port };
    await using second = await listen({ endpoint, protocol: echo, reusePort: true });
    expect(second.address.port).toBe(first.address.port);
    await expect(listen({ endpoint, protocol: echo })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('fails with a sentence for the operator', async () => {
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

  it('names the endpoint of a port beyond 65,535', async () => {
    await expect(listen({ endpoint: { host: '127.0.0.1', port: 65_536 }, protocol: echo })).rejects.toThrow(
      'cannot listen on tcp://127.0.0.1:65536: options.port should be >= 0',
    );
  });

  it('has the scheme of the protocol in its URL, with an s for implicit TLS', async () => {
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

  it('needs certificates for TLS', async () => {
    await expect(listen({ endpoint: LOOPBACK, protocol: echo, tlsPolicy: 'required' })).rejects.toThrow(
      'TLS is required, but there are no certificates',
    );
  });
});

describe('a UNIX socket', () => {
  it('has the permissions of `mode`, and no file after the close', async () => {
    const path = join(directory(), 'socket');
    const listener = await listen({ endpoint: { scheme: 'lmtp', path }, protocol: echo, mode: 0o600 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(listener.url).toBe(`lmtp+unix:${path}`);
    expect(listener.address).toEqual({ family: 'unix', address: path, port: 0 });
    expect(await say(path, 'hello')).toBe('hello');
    await listener.close();
    expect(() => statSync(path)).toThrow('ENOENT');
  });

  it('lets no client in before it has its permissions, with any umask', async () => {
    const folder = directory();
    const path = join(folder, 'socket');
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const original = Reflect.get(Server.prototype, 'listen') as (...args: unknown[]) => Server;
    let atFirst: readonly (readonly [name: string, mode: number])[] = [];
    const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args: unknown[]) {
      Reflect.apply(original, this, args);
      atFirst = readdirSync(folder).map((name) => [name, modeOf(join(folder, name))]);
      return this;
    });
    onTestFinished(() => spy.mockRestore());
    await using _listener = await listen({ endpoint: { scheme: 'lmtp', path }, protocol: echo, mode: 0o600 });
    expect(atFirst).toEqual([[expect.stringMatching(/^socket\.[\da-f]{8}$/), 0]]);
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['socket']);
    expect(process.umask()).toBe(0);
  });

  it('belongs to `group`, a number or a name, and keeps the permissions of the umask', async () => {
    const path = join(directory(), 'socket');
    for (const group of [process.getgid?.() ?? 0, groupName()]) {
      await using _listener = await listen({ endpoint: { path }, protocol: echo, group });
      expect(statSync(path).gid).toBe(process.getgid?.());
      expect(modeOf(path)).toBe(0o777 & ~process.umask());
    }
  });

  // Only root may give a file to a group of others.
  it.skipIf(process.getuid?.() !== 0)('belongs to a group of other users', async () => {
    const path = join(directory(), 'socket');
    await using _listener = await listen({ endpoint: { path }, protocol: echo, group: '54321', mode: 0o660 });
    expect([statSync(path).gid, modeOf(path)]).toEqual([54_321, 0o660]);
  });

  it('needs a group of this machine', async () => {
    const path = join(directory(), 'socket');
    await expect(listen({ endpoint: { path }, protocol: smtp, group: 'no-such-group' })).rejects.toThrow(
      `cannot listen on smtp+unix:${path}: there is no group "no-such-group"; expected the name or the number of a group of this machine`,
    );
  });

  it('has a path of at most 107 octets on Linux, 103 elsewhere', async () => {
    const folder = directory();
    const path = join(folder, 's'.repeat((process.platform === 'linux' ? 107 : 103) - folder.length - 1));
    await using _listener = await listen({ endpoint: { path }, protocol: echo });
    expect(await say(path, 'hello')).toBe('hello');
    await expect(listen({ endpoint: { path: `${path}x` }, protocol: echo })).rejects.toThrow(
      'the path is too long for a socket (EINVAL)',
    );
  });

  it('has a path of the most octets also if its name is short', async () => {
    const room = process.platform === 'linux' ? 107 : 103;
    const parent = directory();
    const folder = join(parent, 'f'.repeat(room - parent.length - 3));
    mkdirSync(folder);
    const path = join(folder, 's');
    expect(path).toHaveLength(room);
    for (let restart = 0; restart < 2; restart++) {
      await using _listener = await listen({ endpoint: { path }, protocol: echo, takeOver: restart > 0 });
      expect(await say(path, 'hello')).toBe('hello');
      expect(readdirSync(folder)).toEqual(['s']);
    }
    await stale(join(parent, 's'));
    renameSync(join(parent, 's'), path);
    await using _listener = await listen({ endpoint: { path }, protocol: echo });
    expect(readdirSync(folder)).toEqual(['s']);
  });

  it('sets the permissions of no file behind a symbolic link in its place', async () => {
    const folder = directory();
    const path = join(folder, 'socket');
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'secret', { mode: 0o600 });
    const original = Reflect.get(Server.prototype, 'listen') as (...args: unknown[]) => Server;
    const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args: unknown[]) {
      Reflect.apply(original, this, args);
      // Another user with rights in the folder.
      const [name = ''] = readdirSync(folder).filter((file) => file.startsWith('socket.'));
      rmSync(join(folder, name));
      symlinkSync(precious, join(folder, name));
      return this;
    });
    onTestFinished(() => spy.mockRestore());
    await expect(listen({ endpoint: { path }, protocol: echo, mode: 0o666 })).rejects.toMatchObject({ code: 'ELOOP' });
    expect(modeOf(precious)).toBe(0o600);
    expect(readdirSync(folder)).not.toContain('socket');
  });

  it('replaces the socket of a server that has ended', async () => {
    const path = join(directory(), 'socket');
    await stale(path);
    await using listener = await listen({ endpoint: { path }, protocol: echo });
    expect(listener.connections).toBe(0);
    expect(await say(path, 'hello')).toBe('hello');
  });

  it('removes the temporary sockets of servers that were killed, and no other file', async () => {
    const folder = directory();
    const path = join(folder, 'socket');
    for (const name of ['socket.0123abcd', 'socket.0123abcde', 'other.0123abcd', 'socket.fedcba98']) {
      await stale(join(folder, name));
      // A server that starts has a new file.
      if (name !== 'socket.fedcba98') utimesSync(join(folder, name), 0, 0);
    }
    writeFileSync(join(folder, 'socket.12345678'), 'precious');
    symlinkSync(join(folder, 'other.0123abcd'), join(folder, 'socket.23456789'));
    await using _starting = await listen({ endpoint: { path: join(folder, 'socket.abcdef01') }, protocol: echo });
    await using _listener = await listen({ endpoint: { path }, protocol: echo });
    expect(readdirSync(folder).sort()).toEqual([
      'other.0123abcd',
      'socket',
      'socket.0123abcde',
      'socket.12345678',
      'socket.23456789',
      'socket.abcdef01',
      'socket.fedcba98',
    ]);
  });

  it('keeps the socket of a server that runs', async () => {
    const path = join(directory(), 'socket');
    await using _first = await listen({ endpoint: { path }, protocol: echo });
    await expect(listen({ endpoint: { path }, protocol: echo })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await say(path, 'still here')).toBe('still here');
  });

  it('greets the clients that wait in the system at its close', async () => {
    const path = join(directory(), 'socket');
    const protocol: Protocol = async (conversation) => conversation.say('220 hello\r\n');
    const listener = await listen({ endpoint: { path }, protocol });
    // Node connects to a UNIX socket at once, and accepts in a later turn of the event loop.
    const clients = Array.from({ length: 40 }, () => connectSocket(path));
    const greetings = clients.map(heardBy);
    await listener.close();
    expect(new Set(await Promise.all(greetings))).toEqual(new Set(['220 hello\r\n']));
  });

  it('keeps a file that is not a socket', async () => {
    const path = join(directory(), 'file');
    writeFileSync(path, 'precious');
    await expect(listen({ endpoint: { path }, protocol: echo })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(statSync(path).size).toBe(8);
  });

  it('goes to one of two servers that start at the same time', async () => {
    const path = join(directory(), 'socket');
    const both = await Promise.allSettled([1, 2].map(() => listen({ endpoint: { path }, protocol: echo })));
    const listeners = both.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(both.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []))).toEqual([
      'EADDRINUSE',
    ]);
    expect(await say(path, 'hello')).toBe('hello');
    await Promise.all(listeners.map((listener) => listener.close()));
  });
});

describe('a listener with `takeOver`', () => {
  it('gets each new client of a UNIX socket, and the server before it keeps its clients', async () => {
    const path = join(directory(), 'socket');
    const before = await listen({ endpoint: { path }, protocol: naming('before'), mode: 0o660 });
    const old = connectSocket(path);
    await once(old, 'connect');
    await using _after = await listen({ endpoint: { path }, protocol: naming('after'), takeOver: true, mode: 0o600 });
    expect(modeOf(path)).toBe(0o600);
    expect(await say(path, '')).toBe('after');
    old.end('\r\n');
    expect(await heardBy(old)).toBe('before');
    await before.close();
    expect(await say(path, '')).toBe('after');
  });

  it('leaves no file behind after its close', async () => {
    const folder = directory();
    const endpoint = { path: join(folder, 'socket') };
    const before = await listen({ endpoint, protocol: echo });
    const after = await listen({ endpoint, protocol: echo, takeOver: true });
    await after.close();
    await before.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps a file that is not a socket', async () => {
    const path = join(directory(), 'file');
    writeFileSync(path, 'precious');
    await expect(listen({ endpoint: { path }, protocol: echo, takeOver: true })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    expect(statSync(path).size).toBe(8);
  });
});

/** Sends one line and returns the reply. */
async function say(where: number | string, line: string): Promise<string> {
  const socket = typeof where === 'number' ? connectSocket(where, '127.0.0.1') : connectSocket(where);
  socket.end(`${line}\r\n`);
  return heardBy(socket);
}

/** A protocol that hears a line and says the name. */
function naming(name: string): Protocol {
  return async (conversation) => {
    await conversation.hearLine(1000);
    conversation.say(name);
  };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

/** Returns the name of this process's group. */
function groupName(): string {
  const lines = readFileSync('/etc/group', 'utf8').split('\n');
  return lines.find((line) => line.split(':')[2] === String(process.getgid?.()))?.split(':')[0] ?? expect.unreachable();
}

/** Leaves a socket file behind, like a killed server. */
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
