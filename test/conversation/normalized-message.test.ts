import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DotKernel } from '../../packages/conversation/src/dot-kernel.ts';
import { DotUnstuffer } from '../../packages/conversation/src/dot-stuffing.ts';
import { NormalizedMessage } from '../../packages/conversation/src/normalized-message.ts';
import { runs } from '../support/fuzz.ts';
import { SMUGGLING } from '../support/smuggling.ts';
import { converse } from './converse.ts';

describe.each([
  ['with the kernel', DotKernel.create()],
  ['without the kernel', null],
] as const)('NormalizedMessage %s', (_title, kernel) => {
  it.each([
    ['a message of CRLF lines', 'one\r\n\r\ntwo\r\n.\r\n', 'one\r\n\r\ntwo\r\n'],
    ['lines that end with LF', 'one\ntwo\n\r\n.\r\n', 'one\r\ntwo\r\n\r\n'],
    ['lines that end with CR', 'one\rtwo\r\n.\r\n', 'one\r\ntwo\r\n'],
    ['LF CR', 'one\n\rtwo\r\n.\r\n', 'one\r\n\r\ntwo\r\n'],
    ['CR CR LF', 'one\r\r\n.\r\n', 'one\r\n\r\n'],
    ['a dot after a bare LF, which is no stuffing', '\n.one\n..two\r\n.\r\n', '\r\n.one\r\n..two\r\n'],
    ['a stuffed dot after a CRLF', 'x\n\r\n..one\r\n.\r\n', 'x\r\n\r\n.one\r\n'],
    ['a dot and a bare CR after a CRLF', '\r\n.\rx\r\n.\r\n', '\r\n\r\nx\r\n'],
  ])('passes on %s', (_title, input, output) => {
    expect(normalize([input], kernel)).toEqual({ output, rest: '', ended: true });
  });

  it.each(SMUGGLING)('does not end at %j, for each split', (sequence) => {
    // Long enough for the kernel on both sides.
    const smuggled = `${'body '.repeat(20)}${sequence}MAIL FROM:<smuggled@example.com>${' tail'.repeat(20)}\r\n`;
    const input = `${smuggled}.\r\nQUIT\r\n`;
    const whole = normalize([input], kernel);
    expect(whole).toEqual(naively(input));
    expect(whole).toMatchObject({ ended: true, rest: 'QUIT\r\n' });
    for (let at = 1; at < input.length; at++) {
      expect(normalize([input.slice(0, at), input.slice(at)], kernel)).toEqual(whole);
    }
  });

  it('equals a naive model, for any octets and any split', () => {
    const token = fc.constantFrom(
      '\r',
      '\n',
      '.',
      '\r\n',
      '\r\n.',
      '\r\n..',
      '\n.',
      '.\r',
      '.\n',
      'x',
      'letters',
      '\0',
    );
    const message = fc.array(token, { maxLength: 150 }).map((tokens) => tokens.join(''));
    fc.assert(
      fc.property(message, fc.boolean(), fc.array(fc.nat(400), { maxLength: 20 }), (text, ends, places) => {
        const input = ends ? `${text}\r\n.\r\nQUIT\r\n` : text;
        expect(normalize(cut(input, places), kernel)).toEqual(naively(input));
        expect(normalize(Array.from(input), kernel)).toEqual(naively(input));
      }),
      { numRuns: runs(2_000) },
    );
  });

  it('equals it for long messages with rare line endings and dots', () => {
    const token = fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', '\n.', '\r\n..', '\r\n.\r');
    const parts = fc.array(fc.tuple(fc.nat(60), fc.array(token, { maxLength: 3 })), { minLength: 5, maxLength: 40 });
    fc.assert(
      fc.property(parts, fc.array(fc.nat(1_500), { maxLength: 3 }), (parts, places) => {
        const input = parts.map(([filler, tokens]) => 'x'.repeat(filler) + tokens.join('')).join('');
        expect(normalize(cut(input, places), kernel)).toEqual(naively(input));
      }),
      { numRuns: runs(3_000) },
    );
  });

  it('returns views of a chunk without bare line endings, also after one with them', () => {
    const message = new NormalizedMessage(new DotUnstuffer(kernel));
    expect(message.next(Buffer.from('a\nb\r'), 0)).toEqual(Buffer.from('a\r\nb\r'));
    const chunk = Buffer.from(`\n${'a line\r\n'.repeat(5_000)}`);
    const piece = message.next(chunk, 0);
    expect(piece.buffer).toBe(chunk.buffer);
    expect(piece).toHaveLength(chunk.length);
  });

  it('makes a chunk of n octets at most 2n + 1 octets long', () => {
    const message = new NormalizedMessage(new DotUnstuffer(kernel));
    expect(message.next(Buffer.from('\r'), 0)).toHaveLength(1);
    expect(message.next(Buffer.from('\r'.repeat(10_000)), 0)).toHaveLength(20_000);
  });
});

describe('hearNormalizedMessage', () => {
  it('passes a message on with CRLF, counts its octets, and hears the next line', async () => {
    const { conversation, client } = converse({}, { chunks: 'octets' });
    void client.write('one\n.\ntwo\r\n..\r\n.\r\nQUIT\r\n');
    let text = '';
    const heard = await conversation.hearNormalizedMessage((piece) => {
      text += Buffer.from(piece).toString('latin1');
    });
    expect(text).toBe('one\r\n.\r\ntwo\r\n.\r\n');
    expect(heard).toEqual({ octets: text.length, bareLineEndings: false });
    expect(await conversation.hearLine(100)).toBe('QUIT');
  });
});

interface Normalized {
  readonly output: string;
  readonly rest: string;
  readonly ended: boolean;
}

function normalize(chunks: readonly string[], kernel: DotKernel | null): Normalized {
  const message = new NormalizedMessage(new DotUnstuffer(kernel));
  let output = '';
  let rest = '';
  for (const text of chunks) {
    const chunk = Buffer.from(text, 'latin1');
    let at = 0;
    while (at < chunk.length && !message.ended) {
      output += Buffer.from(message.next(chunk, at)).toString('latin1');
      at = message.consumed;
    }
    rest += chunk.toString('latin1', at);
  }
  expect(message.summary).toEqual({ octets: output.length, bareLineEndings: false });
  return { output, rest, ended: message.ended };
}

/**
 * The trivial implementation, by regular expressions, on the whole input. It holds back octets that
 * may begin the end.
 */
function naively(input: string): Normalized {
  const end = /(^|\r\n)\.\r\n/.exec(input);
  const data = end === null ? input : input.slice(0, end.index + (end[1] ?? '').length);
  const rest = end === null ? '' : input.slice(end.index + end[0].length);
  const held = end === null ? data.replace(/(^|\r\n)\.\r?$/, '$1') : data;
  const unstuffed = held.replace(/(^|\r\n)\./g, '$1');
  // A final CR may become a CRLF.
  const output = unstuffed.replace(/\r\n|\r(?!$)|\n/g, '\r\n');
  return { output, rest, ended: end !== null };
}

function cut(input: string, places: readonly number[]): string[] {
  const sorted = [0, ...places.filter((at) => at < input.length), input.length].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => input.slice(sorted[index], end));
}
