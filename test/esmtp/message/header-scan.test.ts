import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderScan, LineLengths } from '../../../packages/esmtp/src/message/header-scan.ts';

function count(text: string, ...cuts: number[]): number {
  const scan = new HeaderScan();
  for (const piece of cut(text, cuts)) scan.feed(piece);
  return scan.maxReceivedFields;
}

function cut(text: string, cuts: readonly number[]): Uint8Array[] {
  const bytes = Buffer.from(text, 'latin1');
  const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('the scan of a header', () => {
  test.each([
    ['', 0],
    ['Received: a\r\n', 1],
    ['received:a\r\nRECEIVED: b\r\n\r\n', 2],
    ['Subject: x\r\nReceived: a\r\n\r\n', 1],
    ['X-Received: a\r\nReceived-SPF: b\r\nReceived : c\r\n Received: d\r\n\r\n', 0],
    ['A: b\r\n\r\nReceived: in the body\r\n', 0],
    ['\r\nReceived: in the body\r\n', 0],
    ['Received: a\r\n b\r\n\tReceived: c\r\nReceived: d', 2],
    ['Received', 0],
    ['Rec\r\nReceived: a\r\n', 1],
    ['[eceived: a\r\n2eceived: b\r\nReceived\x1a b\r\n', 0],
  ])('%j has %i', (text, fields) => {
    expect(count(text)).toBe(fields);
  });

  test('does not care how the bytes are split', () => {
    const line = fc.constantFrom('Received: a', 'received:', 'Rec', 'Subject: Received:', ' folded', '', 'x');
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const text = lines.map((text) => `${text}\r\n`).join('');
        const inside = cuts.map((at) => at % (text.length + 1));
        const header = lines.includes('') ? lines.slice(0, lines.indexOf('')) : lines;
        const expected = header.filter((line) => /^received:/i.test(line)).length;
        return count(text, ...inside) === expected;
      }),
    );
  });
});

describe('the lengths of lines', () => {
  test('do not depend on how the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(12)), fc.array(fc.nat()), (lengths, cuts) => {
        const text = lengths.map((length) => `${'x'.repeat(length)}\r\n`).join('');
        const lines = new LineLengths(10);
        for (const piece of cut(
          text,
          cuts.map((at) => at % (text.length + 1)),
        ))
          lines.feed(piece);
        return lines.exceeded === lengths.some((length) => length > 10);
      }),
    );
  });
});
