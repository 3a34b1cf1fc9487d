import { LineTooLong } from '@postern/conversation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LfLineScanner } from '../../packages/conversation/src/lf-line-scanner.ts';
import { runs } from '../support/fuzz.ts';

const MAXIMUM = 6;

describe('LfLineScanner', () => {
  it.each([
    ['lines', 'one\ntwo\n', ['one', 'two']],
    ['empty lines', '\n\n', ['', '']],
    ['a CR as an octet of the line', 'on\re\r\n\r\n', ['on\re\r', '\r']],
    ['NUL and octets above 127', '\0\x80\xff\n', ['\0\x80\xff']],
    ['a line of maxOctets octets', '123456\n', ['123456']],
    ['a line that is too long, and the next one', '1234567 and more\nnext\n', ['<too long>', 'next']],
    ['a line that is too long and has no end', '1234567890', ['<too long>']],
    ['a line whose CR makes it too long', '123456\r\nnext\n', ['<too long>', 'next']],
    ['a line without its end', 'one\ntwo', ['one']],
  ])('hears %s, for each split', (_title, input, events) => {
    expect(scan([input])).toEqual(events);
    for (let index = 1; index < input.length; index++) {
      expect(scan([input.slice(0, index), input.slice(index)])).toEqual(events);
    }
    expect(scan(input.split(''))).toEqual(events);
  });

  it('equals the trivial implementation, for any octets and any split', () => {
    const token = fc.constantFrom('\r', '\n', '\r\n', 'x', 'yyy', '12345678', '\0', '\xff');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), fc.array(fc.nat(200), { maxLength: 10 }), (tokens, places) => {
        const input = tokens.join('');
        const cuts = [0, ...places.filter((place) => place < input.length), input.length].toSorted((a, b) => a - b);
        const chunks = cuts.slice(1).map((end, index) => input.slice(cuts[index], end));
        expect(scan(chunks)).toEqual(trivially(input));
      }),
      { numRuns: runs(5_000) },
    );
  });

  it('fails as soon as a line is too long, with at most five of its octets', () => {
    const scanner = new LfLineScanner();
    expect(scanner.scan(Buffer.from('AUT'), 0, MAXIMUM)).toBeUndefined();
    expect(() => scanner.scan(Buffer.from('H\tPLAIN'), 0, MAXIMUM)).toThrow(
      expect.objectContaining({ beginning: 'AUTH\t' }),
    );
  });

  it('copies half a line out of its chunk', () => {
    const scanner = new LfLineScanner();
    const chunk = Buffer.from('one\ntw');
    scanner.scan(chunk, 0, MAXIMUM);
    scanner.scan(chunk, 4, MAXIMUM);
    expect(scanner.unfinished).toBe('tw');
    chunk.fill('x');
    expect(scanner.scan(Buffer.from('o\n'), 0, MAXIMUM)).toBe('two');
    expect(scanner.unfinished).toBe('');
  });

  it('keeps no octets of a line that is too long', () => {
    const scanner = new LfLineScanner();
    expect(() => scanner.scan(Buffer.from('1234567'), 0, MAXIMUM)).toThrow(LineTooLong);
    expect(scanner.scan(Buffer.alloc(1_000_000, 'x'), 0, MAXIMUM)).toBeUndefined();
    expect(scanner.unfinished).toBe('');
    expect(scanner.idle).toBe(false);
    expect(scanner.scan(Buffer.from('\n'), 0, MAXIMUM)).toBeUndefined();
    expect(scanner.idle).toBe(true);
  });
});

function scan(chunks: readonly string[]): string[] {
  const scanner = new LfLineScanner();
  const events: string[] = [];
  for (const text of chunks) {
    const chunk = Buffer.from(text, 'latin1');
    for (let offset = 0; offset < chunk.length; offset = scanner.consumed) {
      try {
        const line = scanner.scan(chunk, offset, MAXIMUM);
        if (line !== undefined) events.push(line);
      } catch (error) {
        expect(error).toBeInstanceOf(LineTooLong);
        events.push('<too long>');
      }
    }
  }
  return events;
}

/** The trivial implementation, on the whole input. */
function trivially(input: string): string[] {
  const lines = input.split('\n');
  const last = lines.pop() ?? '';
  const events = lines.map((line) => (line.length > MAXIMUM ? '<too long>' : line));
  return last.length > MAXIMUM ? [...events, '<too long>'] : events;
}
