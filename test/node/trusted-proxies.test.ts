import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Certificates, listen, type SocketTransport } from '@postern/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { binaryHeader, vector } from './proxy-bytes.ts';
import { LOOPBACK, type Served, served } from './served.ts';

const LINE = 'PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n';
const CLIENT = { family: 'IPv4', address: '192.0.2.1', port: 56_324 };
const SERVER = { family: 'IPv4', address: '198.51.100.1', port: 25 };

describe('a connection from a trusted proxy', () => {
  it.each([
    ['version 1', Buffer.from(LINE)],
    ['version 2', binaryHeader({ addresses: Buffer.of(192, 0, 2, 1, 198, 51, 100, 1, 0xdc, 0x04, 0, 25) })],
  ])('has the client’s address, and the protocol gets the octets after the header: %s', async (_title, header) => {
    const server = await served({ proxy: { from: ['127.0.0.1'] } });
    const everything = Buffer.concat([header, Buffer.from('EHLO client\r\n')]);
    for (let split = 1; split < everything.length; split += 7) {
      const socket = await open(server);
      socket.write(everything.subarray(0, split));
      await new Promise(setImmediate);
      socket.write(everything.subarray(split));
      const conversation = await server.accept();
      expect(conversation.transport.remote).toEqual(CLIENT);
      expect(conversation.transport.local).toEqual(SERVER);
      expect(await conversation.hearLine(100)).toBe('EHLO client');
      socket.write('QUIT\r\n');
      expect(await conversation.hearLine(100)).toBe('QUIT');
      socket.destroy();
    }
  });

  it('has the proxy’s own address after LOCAL', async () => {
    const server = await served({ proxy: { from: ['127.0.0.1'] } });
    const socket = await open(server);
    socket.write(binaryHeader({ command: 0x20, family: 0 }));
    const { transport } = await server.accept();
    expect(transport.remote).toEqual({ family: 'IPv4', address: '127.0.0.1', port: socket.localPort });
    expect(transport.local).toEqual(server.listener.address);
  });

  it('has the header before TLS, implicit and by STARTTLS', async () => {
    const { server: pair, ca } = await testCertificates();
    const certificates = await Certificates.load(pair);
    const proxy = { from: ['127.0.0.1'] };
    const handshake = async (socket: Socket) =>
      once(connectTls({ socket, ca, servername: 'localhost' }), 'secureConnect');

    const implicit = await served({ tlsPolicy: 'implicit', certificates, proxy });
    const first = await open(implicit);
    first.write(LINE);
    await handshake(first);
    const { remote, tls } = (await implicit.accept()).transport;
    expect([remote, tls?.serverName]).toEqual([CLIENT, 'localhost']);

    const offered = await served({ tlsPolicy: 'offered', certificates, proxy });
    const second = await open(offered);
    second.write(`${LINE}STARTTLS\r\n`);
    const conversation = await offered.accept();
    expect(await conversation.hearLine(100)).toBe('STARTTLS');
    await Promise.all([conversation.startTls(), handshake(second)]);
    expect([conversation.transport.remote, conversation.transport.tls?.serverName]).toEqual([CLIENT, 'localhost']);
  });

  it('has the whole header in `proxied`', async () => {
    const server = await served({ proxy: { from: ['127.0.0.1'] } });
    const socket = await open(server);
    const tls = Buffer.concat([Buffer.of(1, 0, 0, 0, 1), vector(0x21, 'TLSv1.3')]);
    socket.write(
      binaryHeader({
        addresses: Buffer.alloc(12, 1),
        additions: [vector(0x02, 'mail.example.com'), vector(0x20, tls)],
      }),
    );
    const { proxied } = (await server.accept()).transport as SocketTransport;
    expect(proxied?.additions[0]).toEqual({ type: 0x02, value: Buffer.from('mail.example.com') });
    expect(proxied?.tls).toMatchObject({ version: 'TLSv1.3', verified: false });
  });

  it('counts for the client, and not for the proxy', async () => {
    const server = await served({
      proxy: { from: ['127.0.0.1'] },
      limits: { maxConnectionsPerClient: 1 },
      refusal: (limit, { address }) => `421 ${limit} ${address}\r\n`,
    });
    const sockets = [await open(server), await open(server), await open(server)] as const;
    sockets[0].write(LINE);
    sockets[1].write(LINE.replace('192.0.2.1', '192.0.2.2'));
    await server.accept();
    await server.accept();
    sockets[2].write(LINE);
    expect(String(await once(sockets[2], 'data'))).toBe('421 connections-per-client 192.0.2.1\r\n');
    expect(server.listener.connections).toBe(2);
    sockets[0].resetAndDestroy();
    while (server.listener.connections > 1) await new Promise(setImmediate);
    (await open(server)).write(LINE);
    expect((await server.accept()).transport.remote).toEqual(CLIENT);
  });

  it.each([
    ['does not begin with a header', (socket: Socket) => void socket.write('EHLO client\r\n'), 'no PROXY header'],
    ['ends before the header does', (socket: Socket) => void socket.end('PROXY TCP4'), 'ended before'],
    ['is reset', (socket: Socket) => void socket.resetAndDestroy(), 'ended before'],
    ['is silent', () => {}, 'took too long', 50],
  ])('is closed and reported if it %s', async (_title, act, message, timeout = 600_000) => {
    const server = await served({ proxy: { from: ['127.0.0.1'], timeout } });
    const socket = await open(server);
    while (server.listener.connections === 0) await new Promise(setImmediate);
    act(socket);
    const error = await server.nextError();
    expect(error).toMatchObject({ kind: 'proxy', remote: { address: '127.0.0.1' } });
    expect(String('error' in error && error.error)).toContain(message);
    while (server.listener.connections > 0) await new Promise(setImmediate);
  });
});

describe('the list of trusted proxies', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.0.0.0/8', true],
    ['0.0.0.0/0', true],
    ['127.0.0.2', false],
    ['10.0.0.0/8', false],
    ['unix', false],
  ])('%s matches a proxy at 127.0.0.1: %s', async (from, trusted) => {
    const server = await served({ proxy: { from: [from] } });
    (await open(server)).write(`${LINE}EHLO client\r\n`);
    const conversation = await server.accept();
    expect(conversation.transport.remote.address).toBe(trusted ? CLIENT.address : '127.0.0.1');
    // For any other peer the header is an ordinary line.
    expect(await conversation.hearLine(100)).toBe(trusted ? 'EHLO client' : LINE.trimEnd());
  });

  it('`unix` matches all peers on UNIX sockets', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'postern-proxy-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'socket');
    const server = await served({ endpoint: { path }, proxy: { from: ['unix'] } });
    connectSocket(path).end(LINE);
    expect((await server.accept()).transport.remote).toEqual(CLIENT);
  });

  it.each(['localhost', '10.0.0.0/33', '10.0.0.0/', '::1/129', '10.0.0.0/8/8', '10.0.0.0/+8', ''])(
    'rejects %j',
    async (from) => {
      const listening = listen({ endpoint: LOOPBACK, protocol: async () => {}, proxy: { from: [from] } });
      await expect(listening).rejects.toThrow(`${from} is neither an address nor a network`);
    },
  );
});

async function open({ port }: Served): Promise<Socket> {
  const socket = connectSocket(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}
