import type { MaybePromise } from '@postern/cred';
import { LineMessage, type Message, Rejection } from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

class Lines extends LineMessage {
  readonly heard: string[] = [];
  onLine: () => MaybePromise<void> = () => {};

  lineReceived(line: string): MaybePromise<void> {
    this.heard.push(line);
    return this.onLine();
  }

  eomReceived(): void {
    this.heard.push('<eom>');
  }

  connectionLost(reason: Error): void {
    this.heard.push(`<lost: ${reason.message}>`);
  }
}

async function pass(message: Message, chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) await message.write(Buffer.from(chunk, 'latin1'));
  await message.end();
}

describe('LineMessage', () => {
  it('hears the same lines however the message is cut', async () => {
    const text = fc.array(fc.constantFrom('a', '\xff', '\r', '\n', '\r\n', '.')).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(4)), fc.boolean(), async (whole, cuts, later) => {
        const lines = whole.split('\r\n');
        if (lines.at(-1) === '') lines.pop();
        const message = new Lines();
        if (later) message.onLine = () => Promise.resolve();
        await pass(message, cut(whole, cuts));
        expect(message.heard).toEqual([...lines, '<eom>']);
      }),
    );
  });

  it('waits for one line before it passes on the next', async () => {
    const message = new Lines();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    message.onLine = () => gates[message.heard.length - 1]?.promise;
    const written = message.write(Buffer.from('one\r\ntwo\r\n'));
    expect(message.heard).toEqual(['one']);
    gates[0]?.resolve();
    await gates[0]?.promise;
    await Promise.resolve();
    expect(message.heard).toEqual(['one', 'two']);
    gates[1]?.resolve();
    await written;
  });

  it.each([
    ['in one chunk', ['12345\r\n']],
    ['in several', ['123', '45']],
  ])('refuses a line that is too long, %s', async (_how, chunks) => {
    const message = new Lines(4);
    await expect(pass(message, chunks)).rejects.toThrow(Rejection);
    expect(message.heard).toEqual([]);
    await expect(pass(new Lines(4), ['1234\r\n', '1234', '\r\n'])).resolves.toBeUndefined();
  });

  it('hears that the message will not be completed', async () => {
    const message = new Lines();
    await message.write(Buffer.from('one\r\ntw'));
    await message.abort(new Error('gone'));
    expect(message.heard).toEqual(['one', '<lost: gone>']);
  });
});

function cut(text: string, sizes: readonly number[]): readonly string[] {
  const chunks: string[] = [];
  let at = 0;
  for (const size of sizes) {
    chunks.push(text.slice(at, at + size));
    at += size;
  }
  return [...chunks, text.slice(at)];
}
