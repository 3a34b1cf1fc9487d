import { setImmediate } from 'node:timers/promises';
import {
  Conversation,
  Deadlines,
  MemoryBudget,
  type PassThroughEnd,
  type PassThroughOptions,
} from '@postern/conversation';
import {
  FakeClock,
  listenTo,
  type MemoryPipeOptions,
  type MemoryTransport,
  memoryPipe,
  settle,
} from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

describe('passThrough', () => {
  test('passes octets in both directions and the end of each side', async () => {
    const { client, server, end } = await passing();
    await client.write('a1 SELECT INBOX\r\n');
    await server.write('* 3 EXISTS\r\n');
    await settle();
    expect(text(server)).toBe('a1 SELECT INBOX\r\n');
    expect(text(client)).toBe('* 3 EXISTS\r\n');
    client.end();
    await settle();
    expect(server.read()).toBe('ended');
    await server.write('* BYE\r\n');
    server.end();
    expect(await drained(client)).toBe('* BYE\r\n');
    expect(await end).toEqual({ reason: 'ended', sent: 17, received: 19 });
  });

  test('passes the octets first that no hear has taken, in their order', async () => {
    const { near, far, client, server } = door();
    await client.write('a1 LOGIN\r\na2 SELECT');
    await server.write('* OK\r\n* LIST');
    expect(await near.hearLine(100)).toBe('a1 LOGIN');
    expect(await far.hearLine(100)).toBe('* OK');
    near.say('a1 OK\r\n');
    void near.passThrough(far);
    await client.write(' INBOX\r\n');
    await settle();
    expect(text(server)).toBe('a2 SELECT INBOX\r\n');
    expect(text(client)).toBe('a1 OK\r\n* LIST');
  });

  test('refuses to begin within a line', async () => {
    const { near, far, client } = door();
    await client.write('a1 LOG');
    const line = near.hearLine(100);
    expect(() => near.passThrough(far)).toThrow(TypeError);
    await client.write('IN\r\n');
    expect(await line).toBe('a1 LOGIN');
  });

  test('reads nothing more from a side while the other side reads nothing', async () => {
    const memory = new MemoryBudget();
    const { client, server } = await passing({ highWaterMark: 1000 }, {}, memory);
    const idle = memory.held;
    const written = client.write(Buffer.alloc(1000, 'x'));
    await settle();
    await written;
    const blocked = client.write(Buffer.alloc(5000, 'y'));
    await settle();
    expect([server.unread, memory.held - idle]).toEqual([1000, 1000]);
    expect(text(server)).toBe('x'.repeat(1000));
    await settle();
    await blocked;
    expect(text(server)).toBe('y'.repeat(5000));
    await settle();
    expect(memory.held).toBe(idle);
  });

  test('closes the peer when this connection breaks, and the other way round', async () => {
    const first = await passing();
    first.client.reset();
    expect(await drained(first.server)).toBe('');
    first.server.end();
    expect((await first.end).reason).toBe('broken');
    const second = await passing();
    second.server.reset();
    expect(await drained(second.client)).toBe('');
    second.client.end();
    expect((await second.end).reason).toBe('peer-broken');
  });

  test('closes the peer when a client that has ended its side breaks', async () => {
    const { client, server, end } = await passing();
    client.end();
    await settle();
    client.reset();
    await settle();
    expect(server.read()).toBe('ended');
    server.end();
    expect((await end).reason).toBe('broken');
  });

  test('closes the client when the peer breaks while the client reads nothing', async () => {
    const { client, server, end } = await passing({ highWaterMark: 10 });
    void server.write('* 1 EXISTS\r\n');
    await settle();
    void Promise.resolve(server.write('* 2 EXISTS\r\n')).catch(() => {});
    await settle();
    server.reset();
    expect(await drained(client)).toContain('* 1 EXISTS\r\n');
    client.end();
    expect((await end).reason).toBe('peer-broken');
  });

  test('ends after the idle time of both directions together', async () => {
    const { clock, client, server, end } = await passing({}, { idleTimeout: 60_000 });
    for (const side of [client, server, client]) {
      await clock.advance(50_000);
      await side.write('x');
      await settle();
    }
    await clock.advance(59_000);
    expect([client.closed, text(client)]).toEqual([false, 'x']);
    await clock.advance(2_000);
    expect(await drained(client)).toBe('');
    client.end();
    server.end();
    await clock.advance(5_000);
    expect((await end).reason).toBe('timeout');
  });

  test('lets a client in IDLE be silent for 29 minutes by default', async () => {
    const { clock, client, server } = await passing();
    await clock.advance(29 * 60_000);
    await client.write('DONE\r\n');
    await settle();
    expect(text(server)).toBe('DONE\r\n');
  });

  test('ends after the write time without an octet when one side has ended', async () => {
    const { clock, client, server, end } = await passing({}, { writeTimeout: 30_000 });
    await clock.advance(60_000);
    server.end();
    expect(await drained(client)).toBe('');
    await clock.advance(29_000);
    await client.write('NOOP');
    await settle();
    await clock.advance(29_000);
    expect(text(server)).toBe('NOOP');
    await clock.advance(2_000);
    expect(server.read()).toBe('ended');
    await clock.advance(5_000);
    expect((await end).reason).toBe('timeout');
  });

  test('ends when a side leaves a chunk unread for the write time', async () => {
    const { clock, server, end } = await passing({ highWaterMark: 10 }, { writeTimeout: 30_000 });
    void server.write('* 1 EXISTS\r\n');
    await settle();
    await clock.advance(31_000);
    await clock.advance(6_000);
    await clock.advance(6_000);
    expect((await end).reason).toBe('timeout');
  });

  test('ends at once when the server shuts down, after the octets that were read', async () => {
    const { client, server, shutdown, end } = await passing();
    await server.write('* 1 EXISTS\r\n');
    await settle();
    shutdown.abort();
    expect(await drained(client)).toBe('* 1 EXISTS\r\n');
    client.end();
    server.end();
    expect((await end).reason).toBe('shutdown');
  });

  test('ends at once if the server is shutting down already', async () => {
    const { near, far, client, server, shutdown } = door();
    shutdown.abort();
    client.end();
    server.end();
    expect(await near.passThrough(far)).toEqual({ reason: 'shutdown', sent: 0, received: 0 });
  });

  test('passes the same octets however they are sliced', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 12 });
    const options = fc.record({
      chunks: fc.constantFrom<NonNullable<MemoryPipeOptions['chunks']>>('whole', 'octets', { seed: 7 }),
      highWaterMark: fc.integer({ min: 1, max: 400 }),
    });
    await fc.assert(
      fc.asyncProperty(pieces, pieces, options, async (sent, received, pipe) => {
        const { client, server, end } = await passing(pipe);
        const [atServer, atClient] = await Promise.all([
          drained(server),
          drained(client),
          writeAll(client, sent),
          writeAll(server, received),
        ]);
        expect(atServer).toBe(Buffer.concat(sent).toString('latin1'));
        expect(atClient).toBe(Buffer.concat(received).toString('latin1'));
        expect(await end).toEqual({ reason: 'ended', sent: atServer.length, received: atClient.length });
      }),
      { numRuns: 60 },
    );
  });
});

/** A door between a client and a server: the ends of both, and the door's two conversations. */
function door(pipe: MemoryPipeOptions = {}, memory?: MemoryBudget) {
  const clock = new FakeClock();
  const shutdown = new AbortController();
  const front = memoryPipe(pipe);
  const back = memoryPipe(pipe);
  const near = new Conversation(front.server, {
    deadlines: new Deadlines(clock),
    shutdownSignal: shutdown.signal,
    ...(memory === undefined ? {} : { memory }),
  });
  const far = near.beside(back.client);
  return { clock, shutdown, near, far, client: front.client, server: back.server };
}

async function passing(pipe: MemoryPipeOptions = {}, options: PassThroughOptions = {}, memory?: MemoryBudget) {
  const parts = door(pipe, memory);
  const end: Promise<PassThroughEnd> = parts.near.passThrough(parts.far, options);
  await settle();
  return { ...parts, end };
}

/** Returns the octets that have arrived at an end. */
function text(end: MemoryTransport): string {
  let heard = '';
  for (let read = end.read(); typeof read !== 'string'; read = end.read())
    heard += Buffer.from(read).toString('latin1');
  return heard;
}

/** Resolves with all octets up to the end of the other side. */
async function drained(end: MemoryTransport): Promise<string> {
  let heard = '';
  for (;;) {
    const read = end.read();
    if (read === 'ended') return heard;
    if (read === 'later') {
      const { promise, resolve } = Promise.withResolvers<void>();
      listenTo(end, { onInput: resolve });
      await promise;
    } else heard += Buffer.from(read).toString('latin1');
  }
}

async function writeAll(end: MemoryTransport, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    await end.write(piece);
    await setImmediate();
  }
  end.end();
}
