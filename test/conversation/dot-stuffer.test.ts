import { BufferPool, DotStuffer } from '@postern/conversation';
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

test('large chunks with any dots get them in a buffer of a pool, and without a pool', () => {
  const line = fc.constantFrom('.\n', '.a\r\n', `${'a'.repeat(500)}\r\n`, '.', '\n', '..\r\n');
  const chunk = fc
    .array(fc.tuple(line, fc.integer({ min: 1, max: 8_000 })), { minLength: 1, maxLength: 5 })
    .map((runs) =>
      runs
        .map(([text, times]) => text.repeat(times))
        .join('')
        .slice(0, CHUNK_OCTETS),
    );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 3 }), (chunks) => {
      const pool = new BufferPool(DotStuffer.stuffedOctets(CHUNK_OCTETS), 1);
      const text = expected(chunks.join(''));
      // No assertion of vitest: its diff of such a text takes minutes.
      return [1, 2].every(() => stuff(chunks, pool) === text) && stuff(chunks) === text;
    }),
    { numRuns: 40 },
  );
});

test('a stuffer gives its buffer back at the end of the message', () => {
  const pool = new BufferPool(DotStuffer.stuffedOctets(CHUNK_OCTETS), 1);
  const stuffer = new DotStuffer(pool);
  const { buffer } = stuffer.push(Buffer.from('.\r\n'.repeat(10_000)));
  expect(stuffer.push(Buffer.from('.a\r\n'.repeat(10_000))).buffer).toBe(buffer);
  expect(pool.take().buffer).not.toBe(buffer);
  stuffer.end();
  stuffer.end();
  expect(pool.take().buffer).toBe(buffer);
  expect(pool.take().buffer).not.toBe(buffer);
});

test('a pool keeps no more buffers than its bound', () => {
  const pool = new BufferPool(8, 1);
  const [first, second] = [pool.take(), pool.take()];
  pool.give(first);
  pool.give(second);
  expect(pool.take()).toBe(first);
  expect(pool.take()).not.toBe(second);
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

function stuff(chunks: readonly string[], buffers?: BufferPool): string {
  const stuffer = new DotStuffer(buffers);
  const pieces = chunks.map((chunk) => Buffer.from(stuffer.push(Buffer.from(chunk))));
  return Buffer.concat(pieces).toString() + stuffer.end();
}

function expected(text: string): string {
  return `${text.replaceAll(/(?<=^|\n)\./g, '..')}${text === '' || text.endsWith('\n') ? '' : '\r\n'}.\r\n`;
}

const CHUNK_OCTETS = 64 * 1024;
