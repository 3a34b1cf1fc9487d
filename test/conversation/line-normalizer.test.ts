import { LineNormalizer } from '@postern/conversation';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../support/fuzz.ts';

test.each([
  ['a\r\nb\r\n', 'a\r\nb\r\n'],
  ['a\nb\n', 'a\r\nb\r\n'],
  ['a\rb\r', 'a\r\nb\r\n'],
  ['\n\r', '\r\n\r\n'],
  ['\r\r\n', '\r\n\r\n'],
  ['', ''],
  ['no line end', 'no line end'],
])('%j is %j in one piece', (input, output) => {
  expect(normalized([input])).toBe(output);
});

test('the output does not depend on how the octets are split', () => {
  const piece = fc.string({ maxLength: 6, unit: fc.constantFrom('\r', '\n', '\r\n', 'a') });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const whole = pieces.join('').replace(/\r\n|\r|\n/g, '\r\n');
      expect(normalized(pieces)).toBe(whole);
    }),
    { numRuns: runs(500) },
  );
});

test('a piece without a bare line end is returned itself', () => {
  const piece = Buffer.from('a\r\n');
  expect(new LineNormalizer().push(piece, false)).toBe(piece);
});

/** Returns the output for the pieces, each of which may have a bare CR or LF. */
function normalized(pieces: readonly string[]): string {
  const normalizer = new LineNormalizer();
  const chunks = pieces.map((piece) => Buffer.from(normalizer.push(Buffer.from(piece), true)));
  return Buffer.concat([...chunks, normalizer.end()]).toString();
}
