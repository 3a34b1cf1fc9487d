import {
  Closing,
  Conversation,
  Deadlines,
  type LineError,
  type LineListener,
  type LineServer,
  PeerGone,
  TimedOut,
  type Transport,
  TurnQueue,
} from '@postern/conversation';
import { memoryPipe, readChunk, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { converse } from './converse.ts';
import { delays, items, model, Reader, replies, written } from './script.ts';

describe('a listener of lines', () => {
  it('hears the same lines for any split and any delays, and so does the peer', async () => {
    await fc.assert(
      fc.asyncProperty(
        items,
        delays,
        fc.integer(),
        fc.integer({ min: 1, max: 300 }),
        async (script, slow, seed, room) => {
          const { conversation, client } = converse({}, { chunks: { seed }, highWaterMark: room });
          const reader = new Reader(conversation, slow);
          const said = listen(client);
          const over = conversation.hearLines(reader);
          for (const item of script) await client.write(Buffer.from(written(item), 'latin1'));
          client.end();
          await over;
          await conversation.close();
          expect(reader.notes).toEqual(script.map(model));
          expect(await said).toBe(replies(script));
        },
      ),
      { numRuns: runs(200) },
    );
  });

  it('hears no more and gets an error after it destroys the conversation', async () => {
    for (const delay of [false, true]) {
      const { conversation, client } = converse();
      const lines = new Lines(() => {
        conversation.destroy();
        return delay ? settle() : undefined;
      });
      void client.write('one\r\ntwo\r\n');
      await expect(conversation.hearLines(lines)).rejects.toThrow(PeerGone);
      expect(lines.heardLines).toEqual(['one']);
    }
  });

  it('hears no more and gets an error after it closes the conversation, although the peer sends more', async () => {
    for (const delay of [false, true]) {
      const { conversation, client, clock } = converse();
      const lines = new Lines((line) => {
        if (line === 'two') void conversation.close();
        return delay ? settle() : undefined;
      });
      const over = expect(conversation.hearLines(lines)).rejects.toThrow(PeerGone);
      void client.write('one\r\ntwo\r\nthree\r\n');
      await settle();
      void client.write('four\r\n');
      await settle();
      void client.write('five\r\n');
      await clock.advance(10_000);
      await over;
      expect(lines.heardLines).toEqual(['one', 'two']);
    }
  });

  it('hears no more of a conversation that closes while the listener works', async () => {
    for (let moments = 0; moments < 8; moments++) {
      const { conversation, client, clock } = converse();
      const { promise, resolve } = Promise.withResolvers<void>();
      const lines = new Lines((line) => (line === 'slow' ? promise : undefined));
      const over = expect(conversation.hearLines(lines)).rejects.toThrow(PeerGone);
      void client.write('slow\r\n');
      await settle();
      void conversation.close();
      resolve();
      for (let moment = 0; moment < moments; moment++) await Promise.resolve();
      void client.write('late\r\n');
      await clock.advance(10_000);
      await over;
      expect(lines.heardLines).toEqual(['slow']);
    }
  });

  it('hears no more of a conversation that closes while it waits for its turn', async () => {
    const time = new TickingClock();
    const { conversation, client, clock } = converse({ turns: new TurnQueue(time, 2) });
    const lines = new Lines(() => time.pass(0.1));
    void client.write('NOOP\r\n'.repeat(1_000));
    const over = expect(conversation.hearLines(lines)).rejects.toThrow(PeerGone);
    const before = lines.heardLines.length;
    expect(before).toBeLessThan(1_000);
    void conversation.close();
    setImmediate(() => void client.write('late\r\n'));
    await clock.advance(10_000);
    await over;
    expect(lines.heardLines).toHaveLength(before);
  });

  it('hears a few lines in a turn that others have used up', async () => {
    const time = new TickingClock();
    const turns = new TurnQueue(time, 2);
    const busy = new Lines(() => time.pass(1));
    const flood = converse({ turns });
    void flood.client.write('NOOP\r\n'.repeat(100));
    void flood.conversation.hearLines(busy);
    const quick = new Lines(() => time.pass(0.001));
    const other = converse({ turns });
    void other.client.write('NOOP\r\n'.repeat(100));
    void other.conversation.hearLines(quick);
    expect(busy.heardLines.length).toBeLessThan(20);
    expect(quick.heardLines.length).toBeGreaterThan(0);
    expect(quick.heardLines.length).toBeLessThan(20);
    while (busy.heardLines.length < 100) await settle();
    expect(quick.heardLines).toHaveLength(100);
  });

  it('times out at the time of expireIn although the peer never pauses', async () => {
    const time = new TickingClock();
    const { conversation, client, clock } = converse({ turns: new TurnQueue(time, 2) });
    conversation.expireIn(5_000);
    const lines = new Lines(() => {
      time.pass(1);
      void client.write('NOOP\r\n');
    });
    const over = expect(conversation.hearLines(lines)).rejects.toThrow(TimedOut);
    void client.write('NOOP\r\n'.repeat(10));
    await settle();
    await clock.advance(5_000);
    await over;
  });

  it('times out at the time of expireIn although the peer reads slowly', async () => {
    const { conversation, client, clock } = converse({}, { highWaterMark: 10 });
    const lines = new Lines(() => conversation.say('x'.repeat(70_000)));
    const over = expect(conversation.hearLines(lines)).rejects.toThrow(TimedOut);
    conversation.expireIn(5_000);
    void client.write('NOOP\r\n'.repeat(100));
    for (let second = 0; second < 6; second++) {
      await settle();
      while (client.read() !== 'later');
      await clock.advance(1_000);
    }
    await over;
    expect(lines.heardLines.length).toBeGreaterThan(2);
    expect(lines.heardLines.length).toBeLessThan(100);
  });

  it('hears on after expireIn(Infinity)', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 });
    conversation.expireIn(5_000);
    const lines = new Lines(() => {});
    const over = conversation.hearLines(lines);
    await clock.advance(3_000);
    void client.write('one\r\n');
    await settle();
    conversation.expireIn(Number.POSITIVE_INFINITY);
    void client.write('two\r\n');
    await clock.advance(9_000);
    void client.write('last\r\n');
    await over;
    expect(lines.heardLines).toEqual(['one', 'two', 'last']);
  });

  it('has unlimited time itself; each line has readTimeout', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const lines = new Lines((line) => (line === 'slow' ? promise : undefined));
    const over = conversation.hearLines(lines);
    await clock.advance(9_000);
    void client.write('slow\r\n');
    await clock.advance(3_600_000);
    resolve();
    await clock.advance(9_000);
    void client.write('last\r\n');
    await over;
    expect(lines.heardLines).toEqual(['slow', 'last']);
  });

  it('does not wait longer for a peer that drips, or for a transport without events', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 });
    const over = expect(conversation.hearLines(new Lines(() => {}))).rejects.toThrow(TimedOut);
    for (let second = 0; second < 10; second++) {
      if (second % 2 === 0) conversation.onInput();
      else void client.write('x');
      await clock.advance(1_000);
    }
    await over;
  });

  it('counts the time in which the peer does not read', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 }, { highWaterMark: 100 });
    const lines = new Lines((line) => conversation.say(`${line}${'x'.repeat(200)}\r\n`));
    const over = expect(conversation.hearLines(lines)).rejects.toThrow(TimedOut);
    void client.write('one\r\ntwo\r\n');
    await clock.advance(6_000);
    expect(lines.heardLines).toEqual(['one', 'two']);
    await client.write('three\r\n');
    await settle();
    expect(lines.heardLines).toEqual(['one', 'two']);
    void readAll(client);
    await settle();
    expect(lines.heardLines).toEqual(['one', 'two', 'three']);
    void client.write('f');
    await clock.advance(9_000);
    void client.write('o');
    await clock.advance(1_000);
    await over;
  });

  it('can be interrupted with any error, and hears the rest of the line later', async () => {
    const { conversation, client } = converse();
    const over = expect(conversation.hearLines(new Lines(() => {}))).rejects.toThrow(Closing);
    void client.write('half ');
    await settle();
    conversation.interrupt(new Closing());
    conversation.interrupt(new Closing());
    await over;
    void client.write('a line\r\n');
    expect(await conversation.hearLine(100)).toBe('half a line');
  });

  it('gets Closing after the last line that has arrived, not before', async () => {
    const closing = new AbortController();
    const { conversation, client } = converse({ shutdownSignal: closing.signal });
    const { promise, resolve } = Promise.withResolvers<void>();
    const lines = new Lines((line) => (line === 'slow' ? promise : undefined), true);
    const over = expect(conversation.hearLines(lines)).rejects.toThrow(Closing);
    void client.write('slow\r\nand\r\nthis\r\n');
    await settle();
    closing.abort();
    await settle();
    resolve();
    await over;
    expect(lines.heardLines).toEqual(['slow', 'and', 'this']);
  });

  it('gets an error when it starts a second hear', async () => {
    const { conversation, client } = converse();
    const others: Promise<unknown>[] = [];
    const lines = new Lines(() => {
      others.push(Promise.resolve(conversation.hearBytes(10, () => {})));
    });
    void client.write('one\r\n');
    await expect(conversation.hearLines(lines)).rejects.toThrow(TypeError);
    await client.write('0123456789');
    await Promise.all(others);
  });

  it('gets PeerGone with the cause where a transport throws', async () => {
    const cause = new RangeError('a transport with a bug');
    const fail = () => {
      throw cause;
    };
    for (const broken of [{ read: fail }, { write: fail }]) {
      const { server, client } = memoryPipe();
      const transport: Transport = Object.assign(server, broken);
      const conversation = new Conversation(transport, { deadlines: new Deadlines() });
      void client.write('one\r\n');
      conversation.say('hello\r\n');
      const lines = new Lines(() => conversation.say('x'.repeat(100_000)));
      await expect(conversation.hearLines(lines)).rejects.toMatchObject({ code: 'peer-gone', cause });
      await conversation.close();
    }
  });
});

describe('a server of lines', () => {
  it('hears that a line ended the hear, or the end of the input', async () => {
    for (const script of ['one\r\nlast\r\n', 'one\r\n']) {
      const { conversation, client } = converse();
      const server = new Server(() => {});
      conversation.serveLines(server);
      await client.write(script);
      client.end();
      await settle();
      expect(server.ends).toEqual(['ended']);
      expect(server.heardLines).toEqual(script.split('\r\n').slice(0, -1));
    }
  });

  it('hears the error that ended the hear', async () => {
    for (const delay of [false, true]) {
      const bug = new RangeError('a bug');
      const { conversation, client } = converse();
      const server = new Server(() => {
        if (delay) return Promise.reject(bug);
        throw bug;
      });
      conversation.serveLines(server);
      await client.write('one\r\ntwo\r\n');
      await settle();
      expect(server.ends).toEqual([bug]);
      expect(server.heardLines).toEqual(['one']);
    }
  });
});

/** Records the lines, up to `last`. */
class Lines implements LineListener {
  readonly maxOctets = 10;
  readonly interruptible: boolean;
  readonly heardLines: string[] = [];
  readonly #answer: (line: string) => void | Promise<void>;

  constructor(answer: (line: string) => void | Promise<void>, interruptible = false) {
    this.interruptible = interruptible;
    this.#answer = answer;
  }

  heard(line: string | LineError): boolean | Promise<boolean> {
    const text = typeof line === 'string' ? line : line.code;
    this.heardLines.push(text);
    return this.#answer(text)?.then(() => text !== 'last') ?? text !== 'last';
  }
}

/** Records the lines, and how their hear ended. */
class Server extends Lines implements LineServer {
  readonly ends: unknown[] = [];

  ended(): void {
    this.ends.push('ended');
  }

  failed(error: unknown): void {
    this.ends.push(error);
  }
}

/** A clock that the test moves, also within a turn. */
class TickingClock {
  #now = 0;

  now(): number {
    return this.#now;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }
}

/** Reads until the peer has ended, and then ends this side. */
async function listen(transport: Transport): Promise<string> {
  const text = await readAll(transport);
  transport.end();
  return text;
}

async function readAll(transport: Transport): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = await readChunk(transport);
    if (chunk === undefined) return Buffer.concat(chunks).toString();
    chunks.push(chunk);
  }
}
