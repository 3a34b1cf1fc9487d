import { type ConversationError, PeerGone, TimedOut } from '@postern/conversation';
import { type MemoryPipeOptions, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { converse, hear, message } from './converse.ts';

describe('hearBytes', () => {
  it('passes on exactly the number of octets, in views of the input', async () => {
    const { conversation, client } = converse();
    void client.write('BDAT 7\r\n1234');
    expect(await conversation.hearLine(100)).toBe('BDAT 7');
    const pieces: string[] = [];
    const heard = conversation.hearBytes(7, (piece) => void pieces.push(Buffer.from(piece).toString()));
    await settle();
    void client.write('567QUIT\r\n');
    await heard;
    expect(pieces).toEqual(['1234', '567']);
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('passes on zero octets without a wait', async () => {
    const { conversation } = converse();
    await conversation.hearBytes(0, () => {
      throw new Error('there is nothing to take');
    });
  });

  it('allocates no memory for octets that have not arrived', async () => {
    const { conversation, client } = converse();
    void client.write('few');
    client.end();
    let taken = 0;
    const take = (piece: Uint8Array): void => {
      taken += piece.length;
    };
    await expect(async () => conversation.hearBytes(Number.MAX_SAFE_INTEGER, take)).rejects.toThrow(PeerGone);
    expect(taken).toBe(3);
  });

  it('discards the rest after the consumer failed, and then rejects', async () => {
    const { conversation, client } = converse();
    let asked = 0;
    const heard = conversation.hearBytes(9, () => {
      asked++;
      throw new RangeError('full');
    });
    void client.write('12345');
    await settle();
    void client.write('6789NOOP\r\n');
    await expect(heard).rejects.toThrow('full');
    expect(asked).toBe(1);
    expect(conversation.hearLine(100)).toBe('NOOP');
  });
});

describe('hearMessage', () => {
  it('hears a message to its end and leaves the rest as input', async () => {
    const { conversation, client } = converse();
    void client.write('Subject: hi\r\n\r\n..dot\r\n.\r\nQUIT\r\n');
    expect(await message(conversation)).toEqual({
      text: 'Subject: hi\r\n\r\n.dot\r\n',
      octets: 21,
      bareLineEndings: false,
    });
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('does not depend on the split', async () => {
    const input = 'a\r\n..b\r\n.c\r\nd\ne\r\n.\r\nQUIT\r\n';
    for (let at = 1; at < input.length; at++) {
      const { conversation, client } = converse({}, { chunks: { splitAt: at } });
      void client.write(input);
      expect(await message(conversation)).toEqual({
        text: 'a\r\n.b\r\nc\r\nd\ne\r\n',
        octets: 15,
        bareLineEndings: true,
      });
      expect(await conversation.hearLine(100)).toBe('QUIT');
    }
  });

  it('does not depend on the chunks, with commands before and after', async () => {
    const text = fc.array(fc.constantFrom('.', '..', '\r\n', 'text', '\n', '\r'), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer(), async (parts, seed) => {
        const whole = `DATA\r\n${parts.join('')}\r\n.\r\nQUIT\r\n`;
        const [expected, actual] = await Promise.all([dialogueOf(whole), dialogueOf(whole, { chunks: { seed } })]);
        expect(actual).toEqual(expected);
      }),
      { numRuns: runs(300) },
    );
  });

  it('waits for the consumer and reads nothing meanwhile', async () => {
    const { conversation, client } = converse({}, { highWaterMark: 1_000 });
    const sink = Promise.withResolvers<void>();
    const heard = conversation.hearMessage(() => sink.promise);
    void client.write('x'.repeat(100));
    await settle();
    const waiting = client.write('x'.repeat(2_000));
    expect(waiting).toBeInstanceOf(Promise);
    sink.resolve();
    await waiting;
    void client.write('\r\n.\r\n');
    expect(await heard).toEqual({ octets: 2_102, bareLineEndings: false });
  });

  it('does not count the time of the consumer', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 1_000 });
    const sink = Promise.withResolvers<void>();
    const heard = conversation.hearMessage(() => sink.promise);
    void client.write('hello\r\n.\r\n');
    await clock.advance(60_000);
    sink.resolve();
    expect(await heard).toMatchObject({ octets: 7 });
  });

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('full');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('full'))],
  ])('discards the rest when the consumer %s, and then rejects', async (_title, take) => {
    const { conversation, client } = converse();
    let asked = 0;
    const heard = conversation.hearMessage(() => {
      asked++;
      return take();
    });
    const outcome = expect(heard).rejects.toThrow('full');
    void client.write('hello\r\n.');
    await settle();
    void client.write('.\r\nmore\r\n.\r\nNOOP\r\n');
    await outcome;
    expect(asked).toBe(1);
    expect(conversation.hearLine(100)).toBe('NOOP');
  });

  it('rejects with PeerGone when the peer disconnects before the end', async () => {
    const { conversation, client } = converse();
    void client.write('hello\r\n.');
    client.end();
    await expect(message(conversation)).rejects.toThrow(PeerGone);
  });

  it('times out on a peer that drips', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 60_000 });
    const heard = expect(message(conversation)).rejects.toThrow(TimedOut);
    for (let i = 0; i < 13; i++) {
      void client.write('x');
      await clock.advance(5_000);
    }
    await heard;
  });

  it('extends the time of a peer that sends at minimumRate', async () => {
    const { conversation, client, clock } = converse({ readTimeout: 60_000, minimumRate: 100 });
    const heard = message(conversation);
    for (let i = 0; i < 100; i++) {
      void client.write('x'.repeat(500));
      await clock.advance(5_000);
    }
    void client.write('\r\n.\r\n');
    expect(await heard).toMatchObject({ octets: 50_002 });
  });
});

async function dialogueOf(input: string, pipe: MemoryPipeOptions = {}): Promise<unknown[]> {
  const { conversation, client } = converse({}, pipe);
  void client.write(input);
  client.end();
  const outcomes: unknown[] = [await hear(conversation), await message(conversation)];
  for (;;) {
    const outcome = await hear(conversation).catch((error: ConversationError) => error.code);
    outcomes.push(outcome);
    if (outcome === undefined || outcome === 'peer-gone') return outcomes;
  }
}
