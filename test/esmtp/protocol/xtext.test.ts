import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeXtext, encodeXtext } from '../../../packages/esmtp/src/protocol/xtext.ts';
import { anyCharacter } from '../../support/any-character.ts';

test.each([
  ['', ''],
  ['ann@example.com', 'ann@example.com'],
  ['e+3Dmc2@example.com', 'e=mc2@example.com'],
  ['+2B+3D+20', '+= '],
  ['<>', '<>'],
  ['+C3+A4', '\xc3\xa4'],
])('%j stands for %j (RFC 3461 §4)', (xtext, text) => {
  expect(decodeXtext(xtext)).toBe(text);
});

test.each(['+', 'a+', '+3', '+3d', '+3G', 'a=b', 'a b', 'ä', '\x7f', '+ 3D'])('%j is invalid', (xtext) => {
  expect(decodeXtext(xtext)).toBeUndefined();
});

test('xtext is decoded to the octets that were encoded', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 60 }), (text) => {
      const xtext = encodeXtext(text);
      expect(xtext).toMatch(/^(?:[!-*,-<>-~]|\+[0-9A-F]{2})*$/);
      expect(decodeXtext(xtext)).toBe(Buffer.from(text).toString('latin1'));
    }),
  );
});

test('an xtext without needless escapes is decoded and encoded to itself', () => {
  const xchar = fc.constantFrom(...Array.from('!#$%&()*,-./09:;<>?@AZ[]^_`az{|}~'), '+2B', '+3D', '+20', '+00', '+7F');
  fc.assert(
    fc.property(fc.array(xchar, { maxLength: 30 }), (parts) => {
      const text = decodeXtext(parts.join(''));
      expect(text === undefined ? undefined : encodeXtext(text)).toBe(parts.join(''));
    }),
  );
});
