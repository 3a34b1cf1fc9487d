import { type HeardMessage, type MessageReceiver, PeerGone, type PendingLine } from '@postern/conversation';
import { settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { converse, message } from './converse.ts';

class Receiver implements MessageReceiver {
  text = '';
  facts: HeardMessage | undefined;
  error: unknown;

  take(piece: Uint8Array): void {
    this.text += Buffer.from(piece).toString('latin1');
  }

  heard(facts: HeardMessage): void {
    this.facts = facts;
  }

  failed(error: unknown): void {
    this.error = error;
  }
}

class FullReceiver extends Receiver {
  override take(): void {
    throw new RangeError('full');
  }
}

describe('receiveMessage', () => {
  it('returns the facts about a message that has arrived', () => {
    const { conversation, client } = converse();
    void client.write('one\r\n..two\r\n.\r\nQUIT\r\n');
    const receiver = new Receiver();
    expect(conversation.receiveMessage(receiver, false)).toEqual({ octets: 11, bareLineEndings: false });
    expect(receiver).toEqual({ text: 'one\r\n.two\r\n', facts: undefined, error: undefined });
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('calls heard after a wait', async () => {
    const { conversation, client } = converse();
    void client.write('one\n');
    const receiver = new Receiver();
    expect(conversation.receiveMessage(receiver, true)).toBeUndefined();
    void client.write('two\r\n.\r\nQUIT\r\n');
    await settle();
    expect(receiver.facts).toEqual({ octets: 10, bareLineEndings: false });
    expect(receiver).toMatchObject({ text: 'one\r\ntwo\r\n', error: undefined });
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('throws the error of the receiver behind a message that has arrived', () => {
    const { conversation, client } = converse();
    void client.write('one\r\n.\r\nQUIT\r\n');
    expect(() => conversation.receiveMessage(new FullReceiver(), false)).toThrow('full');
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('calls failed with the error of the receiver after a wait', async () => {
    const { conversation, client } = converse();
    const receiver = new FullReceiver();
    expect(conversation.receiveMessage(receiver, false)).toBeUndefined();
    void client.write('one\r\n.\r\nQUIT\r\n');
    await settle();
    expect(receiver.error).toEqual(new RangeError('full'));
    expect(receiver.facts).toBeUndefined();
    expect(conversation.hearLine(100)).toBe('QUIT');
  });

  it('calls failed if the peer disconnects in the message', async () => {
    const { conversation, client } = converse();
    const receiver = new Receiver();
    expect(conversation.receiveMessage(receiver, false)).toBeUndefined();
    void client.write('one\r\n');
    client.end();
    await settle();
    expect(receiver.error).toBeInstanceOf(PeerGone);
  });

  it('hears the message that hearMessage hears, wherever its octets are split', async () => {
    const text = fc.array(fc.constantFrom('.', '..', '\r\n', 'text', '\n', '\r'), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer(), async (parts, seed) => {
        const whole = `${parts.join('')}\r\n.\r\n`;
        const expected = converse();
        void expected.client.write(whole);
        const actual = converse({}, { chunks: { seed } });
        void actual.client.write(whole);
        const receiver = new Receiver();
        const facts = actual.conversation.receiveMessage(receiver, false);
        await settle();
        expect({ text: receiver.text, ...(facts ?? receiver.facts) }).toEqual(await message(expected.conversation));
      }),
      { numRuns: runs(200) },
    );
  });
});

describe('a line whose listener answers later', () => {
  function listen(pendingLines: PendingLine[], lines: unknown[]) {
    const { conversation, client } = converse();
    const over = conversation.hearLines({
      maxOctets: 100,
      interruptible: false,
      heard(line, pending) {
        lines.push(line);
        pendingLines.push(pending);
        return undefined;
      },
    });
    void client.write('one\r\ntwo\r\n');
    return over;
  }

  it('holds the lines behind it back until the answer', async () => {
    const pending: PendingLine[] = [];
    const lines: unknown[] = [];
    const over = listen(pending, lines);
    await settle();
    expect(lines).toEqual(['one']);
    pending[0]?.answer(true);
    expect(lines).toEqual(['one', 'two']);
    pending[1]?.answer(false);
    await over;
  });

  it('ends the hear with an error', async () => {
    const pending: PendingLine[] = [];
    const over = listen(pending, []);
    await settle();
    pending[0]?.fail(new RangeError('broken'));
    await expect(over).rejects.toThrow('broken');
  });
});
