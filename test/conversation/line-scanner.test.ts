import { BareLineEnding, LineTooLong } from '@postern/conversation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineScanner } from '../../packages/conversation/src/line-scanner.ts';
import { runs } from '../support/fuzz.ts';

const MAXIMUM = 6;

describe('LineScanner', () => {
  it.each([
    ['lines', 'one\r\ntwo\r\n', ['one', 'two']],
    ['empty lines', '\r\n\r\n', ['', '']],
    ['NUL and octets above 127', '\0\x80\xff\r\n', ['\0\x80\xff']],
    ['a line of maxOctets octets', '123456\r\n', ['123456']],
    ['a line that is too long, and the next one', '1234567 and more\r\nnext\r\n', ['<too long>', 'next']],
    ['a line that is too long and has no end', '1234567890', ['<too long>']],
    ['a bare LF', 'one\ntwo\r\nnext\r\n', ['<bare>', 'next']],
    ['a bare CR', 'one\rtwo\r\nnext\r\n', ['<bare>', 'next']],
    ['CRCRLF, whose second CR ends the bad line', 'one\r\r\nnext\r\n', ['<bare>', 'next']],
    ['LFCR, whose CR may end the bad line', 'one\n\r\nnext\r\n', ['<bare>', 'next']],
    ['a bare CR at the limit', '123456\rx\r\nnext\r\n', ['<bare>', 'next']],
    ['a bare CR after the limit', '1234567\rx\r\nnext\r\n', ['<too long>', 'next']],
    ['a bad line full of bare line endings', 'a\nb\rc\n\n\r\r\nnext\r\n', ['<bare>', 'next']],
  ])('hears %s, for each split', (_title, input, events) => {
    expect(scan([input])).toEqual(events);
    for (let at = 1; at < input.length; at++) {
      expect(scan([input.slice(0, at), input.slice(at)])).toEqual(events);
    }
    expect(scan(input.split(''))).toEqual(events);
  });

  it('equals the trivial implementation, for any octets and any split', () => {
    const token = fc.constantFrom('\r', '\n', '\r\n', 'x', 'yyy', '12345678', '\0', '\xff');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), fc.array(fc.nat(200), { maxLength: 10 }), (tokens, places) => {
        const input = tokens.join('');
        const cuts = [0, ...places.filter((at) => at < input.length), input.length].toSorted((a, b) => a - b);
        const chunks = cuts.slice(1).map((end, index) => input.slice(cuts[index], end));
        expect(scan(chunks)).toEqual(trivially(input));
      }),
      { numRuns: runs(5_000) },
    );
  });

  it('reports at most five octets of a line that is too long', () => {
    const scanner = new LineScanner();
    expect(() => scanner.scan(Buffer.from('AUT'), 0, MAXIMUM)).not.toThrow();
    expect(() => scanner.scan(Buffer.from('H PLAIN'), 0, MAXIMUM)).toThrow(
      expect.objectContaining({ beginning: 'AUTH ' }),
    );
  });

  it('copies half a line out of its chunk', () => {
    const scanner = new LineScanner();
    const chunk = Buffer.from('one\r\ntw');
    scanner.scan(chunk, 0, MAXIMUM);
    scanner.scan(chunk, 5, MAXIMUM);
    chunk.fill('x');
    expect(scanner.scan(Buffer.from('o\r\n'), 0, MAXIMUM)).toBe('two');
  });

  it('reports whether it stands between two lines', () => {
    const scanner = new LineScanner();
    expect(scanner.idle).toBe(true);
    scanner.scan(Buffer.from('on'), 0, MAXIMUM);
    expect(scanner.idle).toBe(false);
    scanner.scan(Buffer.from('e\r\n'), 0, MAXIMUM);
    expect(scanner.idle).toBe(true);
    expect(() => scanner.scan(Buffer.from('\n'), 0, MAXIMUM)).toThrow(BareLineEnding);
    expect(scanner.idle).toBe(false);
    scanner.scan(Buffer.from('\r\n'), 0, MAXIMUM);
    expect(scanner.idle).toBe(true);
  });
});

function scan(chunks: readonly string[]): string[] {
  const scanner = new LineScanner();
  const events: string[] = [];
  for (const text of chunks) {
    const chunk = Buffer.from(text, 'latin1');
    for (let at = 0; at < chunk.length; at = scanner.consumed) {
      try {
        const line = scanner.scan(chunk, at, MAXIMUM);
        if (line !== undefined) events.push(line);
      } catch (error) {
        expect(error instanceof LineTooLong || error instanceof BareLineEnding).toBe(true);
        events.push(error instanceof LineTooLong ? '<too long>' : '<bare>');
      }
    }
  }
  return events;
}

/** The trivial implementation, by regular expressions, on the whole input. */
function trivially(input: string): string[] {
  const events: string[] = [];
  let rest = input;
  while (rest !== '') {
    const good = new RegExp(`^([^\\r\\n]{0,${MAXIMUM}})\\r\\n`).exec(rest);
    const bare = new RegExp(`^[^\\r\\n]{0,${MAXIMUM}}(\\n|\\r(?=[^\\n]))`).exec(rest);
    const long = new RegExp(`^[^\\r\\n]{${MAXIMUM + 1}}`).exec(rest);
    if (good !== null) {
      events.push(good[1] ?? '');
      rest = rest.slice(good[0].length);
      continue;
    }
    const bad = bare ?? long;
    if (bad === null) break;
    events.push(bare === null ? '<too long>' : '<bare>');
    const after = rest.slice(bad[0].length);
    const end = after.indexOf('\r\n');
    rest = end < 0 ? '' : after.slice(end + 2);
  }
  return events;
}
