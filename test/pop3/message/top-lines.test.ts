import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TopLines } from '../../../packages/pop3/src/message/top-lines.ts';
import { runs } from '../../support/fuzz.ts';

/** Returns the top of a message that arrives in these chunks. */
function topOf(chunks: readonly Uint8Array[], lines: number): string {
  const top = new TopLines(lines);
  const pieces = chunks.map((chunk) => (top.ended ? new Uint8Array(0) : top.push(chunk)));
  return Buffer.concat(pieces).toString('latin1');
}

describe('the top of a message', () => {
  test.each([
    ['A: b\r\n\r\none\r\ntwo\r\n', 0, 'A: b\r\n\r\n'],
    ['A: b\r\n\r\none\r\ntwo\r\n', 1, 'A: b\r\n\r\none\r\n'],
    ['A: b\r\n\r\none\r\ntwo\r\n', 2, 'A: b\r\n\r\none\r\ntwo\r\n'],
    ['A: b\r\n\r\none\r\ntwo', 99_999_999, 'A: b\r\n\r\none\r\ntwo'],
    ['A: b\r\n\r\n\r\n\r\n', 1, 'A: b\r\n\r\n\r\n'],
    ['\r\nbody\r\n', 0, '\r\n'],
    ['A: b\r\n', 0, 'A: b\r\n'],
    ['A: b\r\n \r\n\r\none\r\n', 0, 'A: b\r\n \r\n\r\n'],
    ['A: b\n\none\ntwo\n', 1, 'A: b\n\none\n'],
    ['', 5, ''],
  ])('of %j with %d lines is %j', (message, lines, top) => {
    expect(topOf([Buffer.from(message)], lines)).toBe(top);
    expect(
      topOf(
        Array.from(Buffer.from(message), (octet) => Uint8Array.of(octet)),
        lines,
      ),
    ).toBe(top);
  });

  test('does not depend on the slicing, and begins the message', () => {
    const text = fc.string({ unit: fc.constantFrom('\r\n', '\r\n\r\n', 'a', '.', '\r', ':', 'é') });
    fc.assert(
      fc.property(text, fc.nat(6), fc.array(fc.integer({ min: 1, max: 5 })), (message, lines, sizes) => {
        const whole = Buffer.from(message);
        const chunks: Uint8Array[] = [];
        let from = 0;
        for (const size of [...sizes, whole.length + 1]) {
          if (from < whole.length) chunks.push(whole.subarray(from, from + size));
          from += size;
        }
        const top = topOf(chunks, lines);
        expect(top).toBe(topOf([whole], lines));
        expect(whole.toString('latin1').startsWith(top)).toBe(true);
      }),
      { numRuns: runs(500) },
    );
  });
});
