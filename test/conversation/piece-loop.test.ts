import { type Conversation, type HeardMessage, PeerGone, TimedOut, TurnQueue } from '@postern/conversation';
import { systemClock } from '@postern/core';
import { settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { converse } from './converse.ts';
import { type Delay, delays } from './script.ts';

describe('a consumer of a message', () => {
  it('gets the whole message, for any delay and any failure, and the next input is heard', async () => {
    const message = fc.string({ unit: fc.constantFrom('\r', '\n', '\r\n', '.', 'x', 'yyyyyyyy'), maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(
        message,
        delays,
        fc.integer(),
        fc.option(fc.nat(9), { nil: undefined }),
        async (said, slow, seed, failsAt) => {
          const text = said === '' || said.endsWith('\r\n') ? said : `${said}\r\n`;
          const { conversation, client } = converse({}, { chunks: { seed }, highWaterMark: 50 });
          const taker = new Taker(slow, failsAt);
          const heard = taker.hear(conversation);
          void client.write(`${stuffed(text)}.\r\nnext\r\n`);
          const facts = { octets: text.length, bareLineEndings: /(?<!\r)\n|\r(?!\n)/.test(text) };
          expect(await heard).toEqual(taker.failed ? 'a full disk' : facts);
          expect(taker.text).toBe(taker.failed ? text.slice(0, taker.text.length) : text);
          expect(await conversation.hearLine(100)).toBe('next');
        },
      ),
      { numRuns: runs(300) },
    );
  });

  it('gets no more, and the hear rejects, after it destroys the conversation', async () => {
    for (const delay of [false, true]) {
      const { conversation, client } = converse();
      void client.write('one\r\n');
      const pieces: string[] = [];
      const heard = hear(conversation, (piece) => {
        pieces.push(piece);
        conversation.destroy();
        return delay ? settle() : undefined;
      });
      await expect(heard).rejects.toThrow(PeerGone);
      expect(pieces).toEqual(['one\r\n']);
    }
  });

  it('gets no more of a conversation that closes meanwhile: octets would be missing', async () => {
    for (let moments = 0; moments < 8; moments++) {
      const { conversation, client, clock } = converse();
      const { promise, resolve } = Promise.withResolvers<void>();
      void client.write('one\r\n');
      const pieces: string[] = [];
      const heard = hear(conversation, (piece) => {
        pieces.push(piece);
        return promise;
      });
      const over = expect(heard).rejects.toThrow(PeerGone);
      await settle();
      void client.write('hole\r\n');
      await settle();
      void conversation.close();
      resolve();
      for (let moment = 0; moment < moments; moment++) await Promise.resolve();
      void client.write('two\r\n.\r\n');
      await clock.advance(10_000);
      await over;
      expect(pieces).toEqual(['one\r\n']);
    }
  });

  it('hears of the disconnected peer, not of its own failure, when both happen', async () => {
    const { conversation, client } = converse();
    void client.write('one\r\n');
    const heard = hear(conversation, () => Promise.reject(new Error('a full disk')));
    await settle();
    client.end();
    await expect(heard).rejects.toThrow(PeerGone);
  });

  it('does not wait longer for a transport without events', async () => {
    const { conversation, clock } = converse({ readTimeout: 10_000 });
    const over = expect(hear(conversation, () => {})).rejects.toThrow(TimedOut);
    for (let second = 0; second < 10; second++) {
      conversation.onInput();
      await clock.advance(1_000);
    }
    await over;
  });

  it('does not use up the peer’s time, which continues where it stopped', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000, minimumRate: 1_000_000 });
    const turns = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let at = 0;
    const heard = hear(conversation, () => turns[at++]?.promise);
    const over = expect(heard).rejects.toThrow(TimedOut);
    await clock.advance(6_000);
    void client.write('one\r\n');
    await clock.advance(3_600_000);
    turns[0]?.resolve();
    await clock.advance(2_000);
    void client.write('two\r\n');
    await clock.advance(3_600_000);
    turns[1]?.resolve();
    let timedOut = false;
    void heard.catch(() => {
      timedOut = true;
    });
    await clock.advance(1_000);
    expect(timedOut).toBe(false);
    await clock.advance(2_000);
    await over;
  });

  it('keeps the peer’s time while it waits for its next turn', async () => {
    const turns = new TurnQueue(systemClock, 0);
    const { conversation, client, clock } = converse({ readTimeout: 10_000, minimumRate: 1_000_000, turns });
    const pieces: string[] = [];
    const heard = hear(conversation, (piece) => void pieces.push(piece));
    const over = expect(heard).rejects.toThrow(TimedOut);
    await clock.advance(6_000);
    for (let chunk = 0; chunk < 4; chunk++) void client.write('x'.repeat(65_536));
    await Promise.resolve();
    expect(pieces.length).toBeLessThan(4);
    while (pieces.length < 4) await settle();
    await clock.advance(6_000);
    await over;
  });

  it('extends the peer’s time by its octets, up to readTimeout', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000, minimumRate: 1 });
    const over = expect(hear(conversation, () => {})).rejects.toThrow(TimedOut);
    void client.write('x'.repeat(1_000_000));
    await clock.advance(9_000);
    void client.write('x'.repeat(5));
    await clock.advance(5_000);
    void client.write('x');
    await clock.advance(3_000);
    await over;
  });

  it('hears nothing while the peer does not read, and times out', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 10_000 }, { highWaterMark: 100 });
    conversation.say('x'.repeat(200));
    await Promise.resolve();
    let text = '';
    const heard = hear(conversation, (piece) => {
      text += piece;
    });
    const over = expect(heard).rejects.toThrow(TimedOut);
    await settle();
    void client.write('one\r\n');
    await clock.advance(11_000);
    await over;
    expect(text).toBe('');
  });
});

/** Consumes the pieces with the delays, one after the other, and fails at one of them. */
class Taker {
  text = '';
  failed = false;
  readonly #delays: readonly Delay[];
  readonly #failsAt: number | undefined;
  #pieces = 0;

  constructor(slow: readonly Delay[], failsAt: number | undefined) {
    this.#delays = slow;
    this.#failsAt = failsAt;
  }

  async hear(conversation: Conversation): Promise<HeardMessage | string> {
    try {
      return await conversation.hearMessage(this.#take);
    } catch (error) {
      return (error as Error).message;
    }
  }

  readonly #take = (piece: Uint8Array): Promise<void> | void => {
    if (this.failed) throw new Error('taken after a failure');
    const delay = this.#delays[this.#pieces % this.#delays.length];
    this.failed = this.#pieces++ === this.#failsAt;
    if (!this.failed) this.text += Buffer.from(piece).toString('latin1');
    if (delay !== 'none') return (delay === 'turn' ? settle() : Promise.resolve()).then(this.#answer);
    this.#answer();
  };

  readonly #answer = (): void => {
    if (this.failed) throw new Error('a full disk');
  };
}

/** Hears a message, and rejects where hearMessage throws. */
async function hear(conversation: Conversation, take: (piece: string) => Promise<void> | void): Promise<HeardMessage> {
  return conversation.hearMessage((piece) => take(Buffer.from(piece).toString('latin1')));
}

function stuffed(text: string): string {
  return text.replace(/(?<=^|\r\n)\./g, '..');
}
