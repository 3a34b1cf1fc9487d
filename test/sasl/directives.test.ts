import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseDirectives, quote } from '../../packages/sasl/src/digest-md5/directives.ts';

it.each([
  ['chris', '"chris"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['a\0b\x7f', '"a\\\0b\\\x7f"'],
  ['tab\t', '"tab\t"'],
])('quotes %j as %j (RFC 2831 §7.2)', (text, quoted) => {
  expect(quote(text)).toBe(quoted);
});

it('reads what it quotes', () => {
  const octets = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
  fc.assert(
    fc.property(octets, (text) => {
      expect(parseDirectives(`realm=${quote(text)}`)?.get('realm')).toEqual([text]);
    }),
  );
});
