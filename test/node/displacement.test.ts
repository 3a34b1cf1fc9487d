import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Displaced } from '@postern/conversation';
import { Certificates, type ListenerError, type ListenOptions } from '@postern/node';
import { FakeClock } from '@postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificates } from '../support/certificates.ts';
import { gone, type Served, served } from './served.ts';

const REFUSAL: ListenOptions['refusal'] = (limit) => `421 ${limit}\r\n`;
const EVERYWHERE = { host: '0.0.0.0', port: 0 };

describe('a listener that is full', () => {
  it('closes the oldest connection without a login', async () => {
    const server = await served({ endpoint: EVERYWHERE, limits: { maxConnections: 3 }, refusal: REFUSAL });
    const first = await open(server, '127.0.0.2');
    const known = await server.accept();
    known.standing = 'authenticated';
    const second = await open(server, '127.0.0.3');
    const waiting = await server.accept();
    const line = expect(waiting.hearLine(100)).rejects.toBeInstanceOf(Displaced);
    await open(server, '127.0.0.4');
    const third = await server.accept();
    await open(server, '127.0.0.5');
    const newest = await server.accept();
    expect(newest.transport.remote.address).toBe('127.0.0.5');
    await line;
    await gone(waiting.signal);
    await closed(second);
    expect(await server.nextError()).toEqual({ kind: 'displaced', remote: waiting.transport.remote });
    expect([known, third, newest].map(({ disconnected }) => disconnected)).toEqual([false, false, false]);
    expect(server.listener.connections).toBe(3);
    expect(first.destroyed).toBe(false);
  });

  it('lets the displaced connection send a last reply', async () => {
    const server = await served({ limits: { maxConnections: 1 } });
    const socket = await open(server);
    const conversation = await server.accept();
    const line = conversation.hearLine(100);
    if (!(line instanceof Promise)) throw new Error('nothing was sent');
    const left = line.catch(() => conversation.say('421 4.3.2 make room\r\n')).then(() => conversation.close());
    const words = heardBy(socket);
    await open(server);
    await server.accept();
    expect(await words).toBe('421 4.3.2 make room\r\n');
    await left;
  });

  it('keeps a client without a login during a message, while idle ones are there', async () => {
    const server = await served({ limits: { maxConnections: 2 } });
    await open(server);
    const busy = await server.accept();
    busy.standing = 'busy';
    await open(server);
    const idle = await server.accept();
    await open(server);
    await gone(idle.signal);
    expect(busy.disconnected).toBe(false);
    await server.accept();
    busy.standing = 'unauthenticated';
    await open(server);
    await server.accept();
    expect(busy.disconnected).toBe(false);
  });

  it('closes a TLS handshake that hangs', async () => {
    const { server: pair } = await testCertificates();
    const certificates = await Certificates.load(pair);
    const server = await served({ tlsPolicy: 'implicit', certificates, limits: { maxConnections: 1 } });
    const silent = await open(server);
    while (server.listener.connections === 0) await turn();
    const second = connectTls({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void second.destroy());
    await once(second, 'secureConnect');
    await closed(silent);
    expect(server.listener.connections).toBe(1);
  });

  it('uncounts each connection once: as many clients may connect after all have disconnected', async () => {
    const server = await served({ limits: { maxConnections: 2, maxConnectionsPerClient: 2 }, refusal: REFUSAL });
    for (let round = 0; round < 3; round++) {
      const sockets = [await open(server), await open(server)];
      const conversations = [await server.accept(), await server.accept()];
      expect(await heardBy(await open(server))).toBe('421 connections-per-client\r\n');
      for (const socket of sockets) socket.resetAndDestroy();
      for (const { signal } of conversations) await gone(signal);
      expect(server.listener.connections).toBe(0);
    }
  });
});

describe('the limits of IPv6 networks', () => {
  it('count a /64 as one client and a /48 as one site, also behind a proxy', async () => {
    const server = await served({
      proxy: { from: ['127.0.0.1'] },
      limits: { maxConnectionsPerClient: 2, maxConnectionsPerSite: 3 },
      refusal: REFUSAL,
    });
    for (const address of ['2001:db8:0:1::1', '2001:DB8:0:1:ffff::2', '2001:db8:0:2::1']) {
      await proxied(server, address);
      await server.accept();
    }
    expect(await heardBy(await proxied(server, '2001:db8:0:1::3'))).toBe('421 connections-per-client\r\n');
    expect(await heardBy(await proxied(server, '2001:db8:0:3::1'))).toBe('421 connections-per-site\r\n');
    await proxied(server, '2001:db8:1:1::1');
    await server.accept();
  });

  it('count a translated address as the IPv4 address inside', async () => {
    const server = await served({
      proxy: { from: ['127.0.0.1'] },
      limits: { maxConnectionsPerClient: 1 },
      refusal: REFUSAL,
    });
    await proxied(server, '::ffff:192.0.2.1');
    await server.accept();
    expect(await heardBy(await proxied(server, '64:ff9b::192.0.2.1'))).toBe('421 connections-per-client\r\n');
    await proxied(server, '64:ff9b::192.0.2.2');
    await server.accept();
  });
});

describe('rates', () => {
  it('bound the new connections of one network in a minute', async () => {
    const clock = new FakeClock();
    const server = await served({
      endpoint: EVERYWHERE,
      clock,
      limits: { maxConnectionsPerMinute: 2 },
      refusal: REFUSAL,
    });
    for (let n = 0; n < 2; n++) {
      (await open(server, '127.0.0.2')).resetAndDestroy();
      await server.accept();
    }
    expect(await heardBy(await open(server, '127.0.0.2'))).toBe('421 connections-per-minute\r\n');
    await open(server, '127.0.0.3');
    await server.accept();
    await clock.advance(30_000);
    await open(server, '127.0.0.2');
    await server.accept();
  });

  it('bound the TLS handshakes of a network, and count a failure twice', async () => {
    const { server: pair } = await testCertificates();
    const certificates = await Certificates.load(pair);
    const clock = new FakeClock();
    const server = await served({ tlsPolicy: 'implicit', certificates, clock, limits: { maxHandshakesPerMinute: 3 } });
    (await open(server)).end('no TLS\r\n');
    expect(await server.nextError()).toMatchObject({ kind: 'handshake' });
    await secured(server);
    await server.accept();
    await closed(await open(server));
    expect(await server.nextError()).toMatchObject({ kind: 'refused', limit: 'handshakes-per-minute' });
    await clock.advance(20_000);
    await secured(server);
    await server.accept();
  });

  it('bound the handshakes of STARTTLS', async () => {
    const { server: pair } = await testCertificates();
    const certificates = await Certificates.load(pair);
    const server = await served({ tlsPolicy: 'offered', certificates, limits: { maxHandshakesPerMinute: 0 } });
    const socket = await open(server);
    const conversation = await server.accept();
    await expect(conversation.startTls()).rejects.toMatchObject({ cause: { message: 'too many TLS handshakes' } });
    await closed(socket);
  });
});

describe('the log', () => {
  it('gets 60 refusals a minute, and then the number of the others', async () => {
    const clock = new FakeClock();
    const errors: ListenerError[] = [];
    const server = await served({
      clock,
      limits: { maxConnections: 0 },
      onError: (error) => errors.push(error),
    });
    for (let n = 0; n < 65; n++) await closed(await open(server));
    expect(errors.length).toBe(60);
    await clock.advance(60_000);
    await closed(await open(server));
    expect(errors[60]).toMatchObject({ kind: 'refused', omitted: 5 });
    await closed(await open(server));
    expect(errors[61]).not.toHaveProperty('omitted');
  });
});

async function open({ port }: Served, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connectSocket({ host: '127.0.0.1', port, localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function proxied(server: Served, address: string): Promise<Socket> {
  const socket = await open(server);
  socket.write(`PROXY TCP6 ${address} 2001:db8::25 40000 25\r\n`);
  return socket;
}

async function secured({ port }: Served): Promise<void> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
}

async function heardBy(socket: Socket): Promise<string> {
  let words = '';
  socket.on('data', (chunk) => {
    words += String(chunk);
  });
  await closed(socket);
  return words;
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
