import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { charactersOf } from '../../packages/postern/src/character-set.ts';
import { LogBuffer } from '../../packages/postern/src/log-buffer.ts';

/** Returns a buffer and the blocks that it has written. */
function recorder(isJoined = true): { readonly buffer: LogBuffer; readonly blocks: [text: string, lines: number][] } {
  const blocks: [string, number][] = [];
  const buffer = new LogBuffer((block, lines) => blocks.push([Buffer.from(block).toString(), lines]), { isJoined });
  return { buffer, blocks };
}

/** Returns the line that a function composes. */
function composed(compose: (buffer: LogBuffer) => void): string {
  const { buffer, blocks } = recorder(false);
  buffer.beginLine();
  compose(buffer);
  buffer.endLine();
  return blocks.map(([text]) => text).join('');
}

describe('a buffer of log lines', () => {
  it('writes the lines of one turn of the event loop in one block, in their order', async () => {
    const { buffer, blocks } = recorder();
    for (const line of ['one\n', 'two\n']) buffer.line(line);
    await Promise.resolve();
    buffer.line('three\n');
    expect(blocks).toEqual([]);
    await new Promise(setImmediate);
    expect(blocks).toEqual([['one\ntwo\nthree\n', 3]]);
    buffer.line('four\n');
    await new Promise(setImmediate);
    expect(blocks.slice(1)).toEqual([['four\n', 1]]);
  });

  it('writes each line at once if it joins none', () => {
    const { buffer, blocks } = recorder(false);
    for (const line of ['one\n', 'two\n']) buffer.line(line);
    expect(blocks).toEqual([
      ['one\n', 1],
      ['two\n', 1],
    ]);
  });

  it('writes the lines so far on request, and nothing twice', async () => {
    const { buffer, blocks } = recorder();
    buffer.line('one\n');
    buffer.flush();
    buffer.flush();
    await new Promise(setImmediate);
    expect(blocks).toEqual([['one\n', 1]]);
  });

  it('writes blocks of whole lines, of at most 4,096 octets unless one line is longer', () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('x', 'ä', '💌'), maxLength: 6_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(lines, (texts) => {
        const { buffer, blocks } = recorder();
        for (const text of texts) buffer.line(`${text}\n`);
        buffer.flush();
        expect(blocks.map(([block]) => block).join('')).toBe(texts.map((text) => `${text}\n`).join(''));
        for (const [block, count] of blocks) {
          expect(block.split('\n')).toHaveLength(count + 1);
          if (count > 1) expect(Buffer.byteLength(block)).toBeLessThanOrEqual(4_096);
        }
      }),
    );
  });

  it('discards a line that has not ended', () => {
    const { buffer, blocks } = recorder();
    buffer.beginLine();
    buffer.ascii('half');
    buffer.line('whole\n');
    buffer.flush();
    expect(blocks).toEqual([['whole\n', 1]]);
  });

  it('formats numbers as JSON does', () => {
    const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double(), fc.constantFrom(0, -0, 9, 10, 2 ** 31));
    fc.assert(
      fc.property(number, (value) => {
        expect(composed((line) => line.number(value))).toBe(`${JSON.stringify(value)}\n`);
      }),
    );
  });

  it('formats times as Date does, also those of one second', () => {
    const times = fc.array(fc.integer({ min: -8.64e15, max: 8.64e15 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(times, fc.nat(999), (seconds, later) => {
        const all = seconds.flatMap((time) => [time, Math.min(time + later, 8.64e15)]);
        const { buffer, blocks } = recorder(false);
        for (const time of all) {
          buffer.beginLine();
          buffer.time(time);
          buffer.endLine();
        }
        expect(blocks.map(([text]) => text)).toEqual(all.map((time) => `${new Date(time).toISOString()}\n`));
      }),
    );
  });

  it('copies a text only if all its characters are allowed', () => {
    const letters = charactersOf(/[a-z]/);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'z', 'A', ' ', 'š', 'ä', '\u0161') }), (text) => {
        const isPlain = /^[a-z]+$/.test(text);
        const line = composed((buffer) => {
          buffer.ascii('<');
          expect(buffer.copy(text, letters)).toBe(isPlain);
          buffer.ascii('>');
        });
        expect(line).toBe(isPlain ? `<${text}>\n` : '<>\n');
      }),
    );
  });
});
