import { connect, type Socket } from 'node:net';
import { Closing, type Conversation, PeerGone, type Protocol } from '@postern/conversation';
import { type Listener, listen } from '@postern/node';
import { settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { delays, items, model, Reader, replies, written } from '../conversation/script.ts';
import { runs } from '../support/fuzz.ts';
import { gone, LOOPBACK, Queue } from './served.ts';

describe('a conversation over a socket', () => {
  it('carries the same lines both ways, for all splits and pauses', async () => {
    const conversations = new Queue<Conversation>();
    let lead: Protocol = async () => {};
    const listener = await serve((conversation) => {
      conversations.put(conversation);
      return lead(conversation);
    });
    await fc.assert(
      fc.asyncProperty(items, delays, fc.array(fc.nat(200), { minLength: 1 }), async (script, slow, sizes) => {
        let notes: readonly string[] = [];
        lead = async (conversation) => {
          const reader = new Reader(conversation, slow);
          await conversation.hearLines(reader);
          ({ notes } = reader);
        };
        const client = connect(listener.address.port, LOOPBACK.host).setNoDelay(true);
        const replied = readAll(client);
        await write(client, Buffer.from(script.map(written).join(''), 'latin1'), sizes);
        client.end();
        expect(await replied).toBe(replies(script));
        expect(notes).toEqual(script.map(model));
      }),
      { numRuns: runs(60) },
    );
  });

  it('shares the event loop while one peer floods it', async () => {
    const listener = await serve(echo);
    const flood = connect(listener.address.port, LOOPBACK.host);
    onTestFinished(() => void flood.destroy());
    const answered = next(flood);
    const noise = Buffer.alloc(1_000_000, 'NOOP\r\n');
    const pour = (): void => {
      while (flood.write(noise));
    };
    flood.on('drain', pour);
    pour();
    const client = connect(listener.address.port, LOOPBACK.host);
    for (let line = 0; line < 20; line++) {
      client.write(`${line}\r\n`);
      expect(await next(client)).toBe(`${line}\r\n`);
    }
    expect(await answered).toMatch(/^NOOP\r\n/);
    client.destroy();
  });

  it('fails with PeerGone when the peer resets it, in every call', async () => {
    const failures = new Queue<unknown>();
    const begun = new Queue<void>();
    const listener = await serve((conversation) =>
      conversation.hearLines(new Beginning(conversation, begun)).catch((error: unknown) => failures.put(error)),
    );
    for (const octets of ['one\r\ntw', 'wait\r\n', 'message\r\nhalf ', 'bytes 9\r\n', 'ask\r\n']) {
      const client = connect(listener.address.port, LOOPBACK.host);
      client.on('error', () => {}).write(octets);
      await begun.take();
      client.resetAndDestroy();
      expect(await failures.take()).toBeInstanceOf(PeerGone);
    }
  });

  it('ends within the shutdown timeout, in every call', async () => {
    const failures = new Queue<unknown>();
    const begun = new Queue<void>();
    const listener = await serve((conversation) =>
      conversation.hearLines(new Beginning(conversation, begun)).catch((error: unknown) => failures.put(error)),
    );
    const clients = ['one\r\ntw', 'message\r\nhalf ', 'ask\r\n'].map((octets) => {
      const client = connect(listener.address.port, LOOPBACK.host);
      client.on('error', () => {}).resume();
      client.write(octets);
      return client;
    });
    for (const _ of clients) await begun.take();
    await settle();
    await listener.close({ shutdownTimeout: 200 });
    for (const _ of clients) expect(await failures.take()).toBeInstanceOf(Closing);
    expect(listener.connections).toBe(0);
  });
});

/** Replies to each line, and waits after `wait` until the peer has disconnected. */
class Beginning extends Reader {
  readonly #conversation: Conversation;
  readonly #begun: Queue<void>;

  constructor(conversation: Conversation, begun: Queue<void>) {
    super(conversation, ['none']);
    this.#conversation = conversation;
    this.#begun = begun;
  }

  override heard(line: string): boolean | Promise<boolean> {
    this.#begun.put();
    return line === 'wait' ? gone(this.#conversation.signal).then(() => true) : super.heard(line);
  }
}

const echo: Protocol = (conversation) =>
  conversation.hearLines({
    maxOctets: 100,
    interruptible: true,
    heard(line) {
      conversation.say(`${String(line)}\r\n`);
      return true;
    },
  });

async function serve(protocol: Protocol): Promise<Listener> {
  const listener = await listen({ endpoint: LOOPBACK, protocol });
  onTestFinished(() => listener.close({ shutdownTimeout: 0 }));
  return listener;
}

async function write(socket: Socket, bytes: Buffer, sizes: readonly number[]): Promise<void> {
  let at = 0;
  for (let piece = 0; at < bytes.length; piece++) {
    const end = at + 1 + (sizes[piece % sizes.length] as number);
    socket.write(bytes.subarray(at, end));
    at = end;
    await settle();
  }
}

async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function next(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
}
