import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DotKernel } from '../../packages/conversation/src/dot-kernel.ts';
import { DotUnstuffer } from '../../packages/conversation/src/dot-stuffing.ts';
import { runs } from '../support/fuzz.ts';
import { SMUGGLING } from '../support/smuggling.ts';

/** The machines of these tests have vectors. Without vectors both runs would use no kernel. */
const kernel = DotKernel.create();

describe('DotKernel', () => {
  it('runs on this machine', () => {
    expect(kernel).toBeInstanceOf(DotKernel);
  });
});

describe.each([
  ['with the kernel', kernel],
  ['without the kernel', null],
] as const)('DotUnstuffer %s', (_title, kernel) => {
  it.each([
    ['an empty message', '.\r\n', ''],
    ['a line', 'hello\r\n.\r\n', 'hello\r\n'],
    ['a stuffed dot', '..hello\r\n.\r\n', '.hello\r\n'],
    ['a line of one stuffed dot', '..\r\n.\r\n', '.\r\n'],
    ['a dot without stuffing', '.hello\r\n.\r\n', 'hello\r\n'],
    ['an empty line before the end', '\r\n.\r\n', '\r\n'],
    ['octets that are no ASCII', '\0\xff\x80\r\n.\r\n', '\0\xff\x80\r\n'],
  ])('finds the end of %s', (_title, input, output) => {
    expect(unstuff([input], kernel)).toEqual({ output, rest: '', ended: true, bareLineEndings: false });
  });

  it.each(SMUGGLING)('does not end at %j, for each split', (sequence) => {
    // Long enough for the kernel on both sides.
    const smuggled = `${'body '.repeat(20)}${sequence}MAIL FROM:<smuggled@example.com>${' tail'.repeat(20)}\r\n`;
    const input = `${smuggled}.\r\nQUIT\r\n`;
    const whole = unstuff([input], kernel);
    expect(whole).toMatchObject({ ended: true, rest: 'QUIT\r\n', bareLineEndings: sequence !== '\r\n\0.\r\n' });
    expect(whole.output).toBe(trivially(input).output);
    for (let at = 1; at < input.length; at++) {
      expect(unstuff([input.slice(0, at), input.slice(at)], kernel)).toEqual(whole);
    }
  });

  it('ends at CRCRLF.CRLF and reports the bare CR', () => {
    expect(unstuff(['body\r\r\n.\r\n'], kernel)).toEqual({
      output: 'body\r\r\n',
      rest: '',
      ended: true,
      bareLineEndings: true,
    });
  });

  it('equals the trivial implementation, for any octets and any split', () => {
    fc.assert(
      fc.property(octets(), splits(), (input, sizes) => {
        expect(unstuff(split(input, sizes), kernel)).toEqual(trivially(input));
      }),
      { numRuns: runs(2_000) },
    );
  });

  it('equals it for long messages with rare line endings and dots', () => {
    const parts = fc.array(fc.tuple(fc.nat(40), fc.array(token(), { maxLength: 3 })), { minLength: 5, maxLength: 40 });
    fc.assert(
      fc.property(parts, fc.array(fc.nat(1_000), { maxLength: 3 }), (parts, cuts) => {
        const input = parts.map(([filler, tokens]) => 'x'.repeat(filler) + tokens.join('')).join('');
        expect(unstuff(cut(input, cuts), kernel)).toEqual(trivially(input));
      }),
      { numRuns: runs(5_000) },
    );
  });

  it.each(['\r\n..', '\r\n.x', '\r\n.\n', '\r\n.\r\n', '\r\n.\rx', '\n.', '\r.', '\r\r\n.', '\n\n.', '\r\n.\r\r\n'])(
    'does so for %j in any place of a chunk',
    (sequence) => {
      for (let before = 0; before < 150; before++) {
        const input = `${'x'.repeat(before)}${sequence}${'y'.repeat(150)}`;
        for (let at = before; at <= before + sequence.length + 20; at++) {
          expect(unstuff(cut(input, [at]), kernel)).toEqual(trivially(input));
        }
      }
    },
  );

  it("processes chunks larger than the kernel's input", () => {
    const input = `${'..a line of the message\r\n'.repeat(10_000)}.\r\nQUIT\r\n`;
    expect(unstuff([input], kernel)).toEqual(trivially(input));
  });

  it('returns few pieces, which are views of the chunks', () => {
    const chunk = Buffer.from('..a line\r\n'.repeat(5_000));
    const unstuffer = new DotUnstuffer(kernel);
    const piece = unstuffer.next(chunk, 0);
    expect(unstuffer.consumed).toBe(chunk.length);
    expect(piece.buffer).toBe(chunk.buffer);
    expect(piece).toHaveLength(45_000);
  });
});

interface Unstuffed {
  readonly output: string;
  readonly rest: string;
  readonly ended: boolean;
  readonly bareLineEndings: boolean;
}

function unstuff(chunks: readonly string[], kernel: DotKernel | null): Unstuffed {
  const unstuffer = new DotUnstuffer(kernel);
  let output = '';
  let rest = '';
  for (const text of chunks) {
    const chunk = Buffer.from(text, 'latin1');
    let at = 0;
    while (at < chunk.length && !unstuffer.ended) {
      output += Buffer.from(unstuffer.next(chunk, at)).toString('latin1');
      at = unstuffer.consumed;
    }
    rest += chunk.toString('latin1', at);
  }
  expect(unstuffer.octets).toBe(output.length);
  return { output, rest, ended: unstuffer.ended, bareLineEndings: unstuffer.bareLineEndings };
}

/**
 * The trivial implementation, by regular expressions, on the whole input. It holds back octets that
 * may begin the end.
 */
function trivially(input: string): Unstuffed {
  const end = /(^|\r\n)\.\r\n/.exec(input);
  const data = end === null ? input : input.slice(0, end.index + (end[1] ?? '').length);
  const rest = end === null ? '' : input.slice(end.index + end[0].length);
  const held = end === null ? data.replace(/(^|\r\n)\.\r?$/, '$1') : data;
  const output = held.replace(/(^|\r\n)\./g, '$1');
  const bareLineEndings = /\r(?!\n|$)|(?<!\r)\n/.test(output);
  return { output, rest, ended: end !== null, bareLineEndings };
}

function token(): fc.Arbitrary<string> {
  return fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', '\r\n..', '\n.', '.\r', 'x', '\0', '\xff');
}

/** Octets with few ends of messages, so that most messages are not empty. */
function octets(): fc.Arbitrary<string> {
  return fc
    .array(fc.oneof({ weight: 20, arbitrary: token() }, { weight: 1, arbitrary: fc.constant('\r\n.\r\n') }), {
      maxLength: 150,
    })
    .map((tokens) => tokens.join(''));
}

function splits(largest = 100): fc.Arbitrary<readonly number[]> {
  return fc.oneof(
    fc.array(fc.integer({ min: 1, max: largest }), { maxLength: 20 }),
    fc.constant(Array.from({ length: 2_000 }, () => 1)),
  );
}

function split(input: string, sizes: readonly number[]): string[] {
  let at = 0;
  return cut(
    input,
    sizes.map((size) => {
      at += size;
      return at;
    }),
  );
}

function cut(input: string, places: readonly number[]): string[] {
  const sorted = [0, ...places.filter((at) => at < input.length), input.length].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => input.slice(sorted[index], end));
}
