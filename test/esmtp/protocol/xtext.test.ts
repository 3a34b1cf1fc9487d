import { expect, test } from 'vitest';
import { decodeXtext } from '../../../packages/esmtp/src/protocol/xtext.ts';

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

test.each(['+', 'a+', '+3', '+3d', '+3G', 'a=b', 'a b', 'ä', '\x7f', '+ 3D'])('%j is none', (xtext) => {
  expect(decodeXtext(xtext)).toBeUndefined();
});
