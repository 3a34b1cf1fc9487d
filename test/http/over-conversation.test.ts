import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Conversation, Deadlines } from '@postern/conversation';
import { type HttpHandler, type HttpProtocolOptions, httpProtocol } from '@postern/http/node';
import { Certificates, listen } from '@postern/node';
import { FakeClock, type MemoryTransport, memoryPipe, readChunk, settle } from '@postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testCertificates } from '../support/certificates.ts';

describe('HTTP over a conversation', () => {
  it('answers requests on one connection in their order', async () => {
    const { client, ended } = serve((req, res) => res.end(req.url));
    void client.write('GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const text = await readAll(client);
    expect(text).toMatch(/\/aHTTP.*\/b$/s);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    client.end();
    await ended;
  });

  it('answers a client that has ended its side behind the request', async () => {
    const answer = Promise.withResolvers<void>();
    const { client, ended } = serve(async (_req, res) => {
      await answer.promise;
      res.end('late');
    });
    void client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    client.end();
    await settle();
    answer.resolve();
    expect(await readAll(client)).toMatch(/200 OK.*late$/s);
    await ended;
  });

  it('closes the response to a client that has ended its side after requestTimeout', async () => {
    const closed = Promise.withResolvers<boolean>();
    const { client, clock, ended } = serve(
      (_req, res) => void res.once('close', () => closed.resolve(res.writableFinished)),
      { requestTimeout: 5_000 },
    );
    void client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    client.end();
    await settle();
    await clock.advance(6_001);
    expect(await closed.promise).toBe(false);
    await ended;
  });

  it('reports to the handler a body that the client has not finished', async () => {
    const aborted = Promise.withResolvers<boolean>();
    const { client, ended } = serve((req) => void req.once('close', () => aborted.resolve(req.complete)).resume());
    void client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello');
    client.end();
    expect(await aborted.promise).toBe(false);
    await ended;
  });

  it('waits with the response while the client reads nothing', async () => {
    const drained = Promise.withResolvers<void>();
    const { client, ended } = serve((_req, res) => {
      const hasRoom = [1, 2, 3, 4].map(() => res.write('x'.repeat(100_000)));
      expect(hasRoom.at(-1)).toBe(false);
      res.once('drain', () => {
        drained.resolve();
        res.end();
      });
    });
    void client.write('GET / HTTP/1.0\r\n\r\n');
    let isDrained = false;
    void drained.promise.then(() => (isDrained = true));
    await settle();
    expect(isDrained).toBe(false);
    expect((await readAll(client)).length).toBeGreaterThan(400_000);
    client.end();
    await ended;
  });

  it('reads no more of a body than the handler takes', async () => {
    const resume = Promise.withResolvers<void>();
    let taken = 0;
    const { client, ended } = serve(async (req, res) => {
      await resume.promise;
      for await (const chunk of req) taken += (chunk as Buffer).length;
      res.end();
    });
    void client.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n');
    const writing = Array.from({ length: 10 }, () => 'y'.repeat(100_000)).reduce<Promise<void>>(
      (before, text) => before.then(() => client.write(text)),
      Promise.resolve(),
    );
    let isWritten = false;
    void writing.then(() => (isWritten = true));
    await settle();
    expect(isWritten).toBe(false);
    resume.resolve();
    expect(await readAll(client)).toMatch(/^HTTP\/1.1 200/);
    expect(taken).toBe(1_000_000);
    client.end();
    await ended;
  });

  it('starts no more pipelined requests than one read has while none is answered', async () => {
    const waiting: (() => void)[] = [];
    let answersAtOnce = false;
    const { client, ended } = serve((_req, res) => {
      if (answersAtOnce) res.end('x');
      else waiting.push(() => res.end('x'));
    });
    const count = 20_000;
    const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    void (async () => {
      // As many as a socket delivers at once.
      for (let sent = 0; sent < count; sent += 1_000) await client.write(get.repeat(1_000));
      await client.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    })();
    let before = -1;
    while (waiting.length > before) {
      before = waiting.length;
      for (let turn = 0; turn < 10; turn++) await settle();
    }
    expect(waiting.length).toBeLessThan(5_000);
    answersAtOnce = true;
    for (const answer of waiting) answer();
    expect((await readAll(client)).match(/200 OK/g)).toHaveLength(count + 1);
    client.end();
    await ended;
  });

  it('refuses a head of 1 MiB with 431', async () => {
    const { client, ended } = serve((_req, res) => res.end());
    void client.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(1_048_576)}\r\n\r\n`);
    expect(await readAll(client)).toMatch(/^HTTP\/1.1 431 /);
    client.end();
    await ended;
  });

  it.each(['\x16\x03\x01\x02', 'EHLO there\r\n', 'GET / HTTP/1.1\r\nBad Header\r\n\r\n'])(
    'refuses %j with 400',
    async (octets) => {
      const { client, ended } = serve((_req, res) => res.end());
      void client.write(octets);
      expect(await readAll(client)).toMatch(/^HTTP\/1.1 400 /);
      client.end();
      await ended;
    },
  );

  it('closes a silent connection after idleTimeout', async () => {
    const { client, clock, ended } = serve((_req, res) => res.end(), { idleTimeout: 5_000 });
    await clock.advance(6_001);
    expect(await readAll(client)).toBe('');
    client.end();
    await ended;
  });

  it('answers an unfinished head with 408 after idleTimeout', async () => {
    const { client, clock, ended } = serve((_req, res) => res.end(), { idleTimeout: 5_000 });
    void client.write('GET / HTTP/1.1\r\nHost: ');
    await clock.advance(6_001);
    expect(await readAll(client)).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    client.end();
    await ended;
  });

  it('closes the connection if a body is unfinished after requestTimeout', async () => {
    const closed = Promise.withResolvers<void>();
    const { client, clock, ended } = serve((req) => void req.once('close', () => closed.resolve()).resume(), {
      requestTimeout: 5_000,
    });
    void client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello');
    await clock.advance(6_001);
    await closed.promise;
    client.end();
    await ended;
  });

  it('gives the handler more time than the client', async () => {
    const answer = Promise.withResolvers<void>();
    const { client, clock, ended } = serve(
      async (_req, res) => {
        await answer.promise;
        res.end('late');
      },
      { requestTimeout: 5_000 },
    );
    void client.write('GET / HTTP/1.0\r\n\r\n');
    await clock.advance(400_000);
    answer.resolve();
    expect(await readAll(client)).toMatch(/late$/);
    client.end();
    await ended;
  });

  it('answers 500 for a handler that fails, and rejects with its error', async () => {
    const { client, ended } = serve(async () => {
      throw new Error('a bug');
    });
    void client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await readAll(client)).toMatch(/^HTTP\/1.1 500 .*Connection: close/s);
    client.end();
    await expect(ended).rejects.toThrow('a bug');
  });

  it('finishes the requests in flight when the server shuts down', async () => {
    const answer = Promise.withResolvers<void>();
    const { client, ended, shutdown } = serve(async (_req, res) => {
      await answer.promise;
      res.end('done');
    });
    void client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await settle();
    shutdown.abort();
    await settle();
    answer.resolve();
    expect(await readAll(client)).toMatch(/200 OK.*Connection: close.*done$/s);
    client.end();
    await ended;
  });

  it('closes an idle connection when the server shuts down', async () => {
    const { client, ended, shutdown } = serve((_req, res) => res.end());
    void client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(Buffer.from((await readChunk(client)) ?? []).toString()).toMatch(/keep-alive/);
    await settle();
    shutdown.abort();
    expect(await readAll(client)).toBe('');
    client.end();
    await ended;
  });
});

describe('HTTP on the listeners of @postern/node', () => {
  it('serves a UNIX socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-http-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'http');
    await using listener = await listen({ endpoint: { path }, protocol: httpProtocol((req, res) => res.end(req.url)) });
    expect(listener.url).toBe(`http+unix:${path}`);
    const [response] = await once(request({ socketPath: path, path: '/x', agent: false }).end(), 'response');
    expect(await textOf(response)).toBe('/x');
  });

  it('serves https', async () => {
    const { server } = await testCertificates();
    await using listener = await listen({
      endpoint: { scheme: 'https', host: '127.0.0.1', port: 0 },
      certificates: await Certificates.load(server),
      protocol: httpProtocol((req, res) => {
        const socket = req.socket as { encrypted?: boolean };
        res.end(`${req.socket.remoteAddress} ${String(socket.encrypted)}`);
      }),
    });
    const { port } = listener.address;
    const [response] = await once(
      requestTls({ port, host: '127.0.0.1', agent: false, rejectUnauthorized: false }).end(),
      'response',
    );
    expect(await textOf(response)).toBe('127.0.0.1 true');
  });

  it('names the client of a PROXY header', async () => {
    await using listener = await listen({
      endpoint: { host: '127.0.0.1', port: 0 },
      proxy: { from: ['127.0.0.1'] },
      protocol: httpProtocol((req, res) => res.end(`${req.socket.remoteAddress}:${req.socket.remotePort}`)),
    });
    const socket = connect(listener.address.port, '127.0.0.1');
    socket.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\nGET / HTTP/1.0\r\n\r\n');
    expect(await textOf(socket)).toMatch(/192\.0\.2\.7:4711$/);
  });

  it('reports to the handler a client that resets its connection', async () => {
    const closed = Promise.withResolvers<boolean>();
    const arrived = Promise.withResolvers<void>();
    await using listener = await listen({
      endpoint: { host: '127.0.0.1', port: 0 },
      protocol: httpProtocol((_req, res) => {
        res.once('close', () => closed.resolve(res.writableFinished));
        arrived.resolve();
      }),
    });
    const socket = connect(listener.address.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrived.promise;
    socket.resetAndDestroy();
    expect(await closed.promise).toBe(false);
  });
});

function serve(handler: HttpHandler, options: HttpProtocolOptions = {}) {
  const clock = new FakeClock();
  const shutdown = new AbortController();
  const { client, server } = memoryPipe();
  const conversation = new Conversation(server, {
    deadlines: new Deadlines(clock),
    shutdownSignal: shutdown.signal,
  });
  const ended = httpProtocol(handler, options)(conversation);
  ended.catch(() => {});
  return { client, clock, ended, shutdown };
}

async function readAll(client: MemoryTransport): Promise<string> {
  let text = '';
  for (let chunk = await readChunk(client); chunk !== undefined; chunk = await readChunk(client)) {
    text += Buffer.from(chunk).toString('latin1');
  }
  return text;
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}
