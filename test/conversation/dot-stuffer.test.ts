import { DotStuffer } from '@postern/conversation';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DotUnstuffer } from '../../packages/conversation/src/dot-stuffing.ts';

test('a message in any chunks gets a dot before each line that begins with a dot', () => {
  const text = fc.string({ unit: fc.constantFrom('.', '\n', '\r\n', 'a', '\n.'), maxLength: 60 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (chunks) => {
      expect(stuff(chunks)).toBe(expected(chunks.join('')));
    }),
  );
});

test.each([
  ['few dots', '.\r\n'.repeat(200)],
  ['dots on every line', '.a\r\n'.repeat(5_000)],
  ['nothing but dots and LF', '.\n'.repeat(5_000)],
  ['one dot behind long lines', `${'a'.repeat(40_000)}\r\n.${'b'.repeat(40_000)}`],
])('a large chunk with %s has the same dots', (_name, text) => {
  expect(stuff([text])).toBe(expected(text));
});

test('a chunk without a line that begins with a dot is not copied', () => {
  const chunk = Buffer.from('no dot.\r\nat the beginning\r\n');
  expect(new DotStuffer().push(chunk)).toBe(chunk);
});

test('an unstuffer undoes the dots of a message in any chunks', () => {
  const text = fc.string({ unit: fc.constantFrom('.', '..', 'a', '\r\n', '\r\n.\r\n', '\r'), maxLength: 60 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (chunks) => {
      const message = chunks.join('');
      const complete = message === '' || message.endsWith('\n') ? message : `${message}\r\n`;
      expect(unstuff(Buffer.from(stuff(chunks)))).toBe(complete);
    }),
  );
});

function unstuff(octets: Buffer): string {
  const source = new DotUnstuffer();
  let text = '';
  for (let from = 0; from < octets.length && !source.ended; from = source.consumed) {
    text += Buffer.from(source.next(octets, from)).toString();
  }
  return text;
}

function stuff(chunks: readonly string[]): string {
  const stuffer = new DotStuffer();
  const pieces = chunks.map((chunk) => Buffer.from(stuffer.push(Buffer.from(chunk))));
  return Buffer.concat(pieces).toString() + stuffer.end();
}

function expected(text: string): string {
  return `${text.replaceAll(/(?<=^|\n)\./g, '..')}${text === '' || text.endsWith('\n') ? '' : '\r\n'}.\r\n`;
}
