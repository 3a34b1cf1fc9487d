import { Rejection, Reply } from '@postern/esmtp';
import { expect, test } from 'vitest';

test('a reply is its code, its enhanced code and its text', () => {
  expect(String(new Reply(250, '2.1.5', 'OK'))).toBe('250 2.1.5 OK\r\n');
});

test('a reply of several lines has the codes on each', () => {
  expect(String(new Reply(550, '5.7.1', 'No', 'and again'))).toBe('550-5.7.1 No\r\n550 5.7.1 and again\r\n');
});

test('a reply without an enhanced code and text keeps its space', () => {
  expect(String(new Reply(250, undefined, 'mx', 'PIPELINING'))).toBe('250-mx\r\n250 PIPELINING\r\n');
  expect(String(new Reply(354, undefined))).toBe('354 \r\n');
});

test('a reply holds printable ASCII only', () => {
  const reply = new Reply(550, '5.0.0', 'a\r\n250 2.0.0 OK\0\x1b[2J\tä😀');
  expect(String(reply)).toMatch(/^550 5\.0\.0 [ -~]*\r\n$/);
});

test('no line is over 512 octets', () => {
  const lines = String(new Reply(550, '5.100.100', 'x'.repeat(2000), 'y')).split(/(?<=\r\n)/);
  expect(lines.every((line) => line.length <= 512 && /^550[ -]5\.100\.100 .*\r\n$/.test(line))).toBe(true);
  expect(lines.join('').match(/x/g)).toHaveLength(2000);
  expect(lines.filter((line) => line.startsWith('550 '))).toHaveLength(1);
});

test.each([
  [199, undefined],
  [600, undefined],
  [25, undefined],
  [250.5, undefined],
  [Number.NaN, undefined],
  [250, '5.0.0'],
  [550, '5.0'],
  [550, '5.0.0 '],
  [354, '3.0.0'],
  [550, ''],
  [550, '5,0.0'],
  [550, '5.0,0'],
  [550, '5.x.0'],
  [550, '5.0.x'],
  [550, '5.0.0000'],
])('%s %s are invalid codes', (code, enhanced) => {
  expect(() => new Reply(code, enhanced, 'text')).toThrow(RangeError);
});

test('a rejection holds a negative reply only', () => {
  const rejection = new Rejection(452, '4.2.2', 'Mailbox full');
  expect(String(rejection.reply)).toBe('452 4.2.2 Mailbox full\r\n');
  expect(String(rejection)).toBe('Rejection: 452 4.2.2 Mailbox full');
  expect(() => new Rejection(250, '2.0.0', 'OK')).toThrow(RangeError);
});

test('a reply is positive up to 399', () => {
  expect([250, 354, 421, 550].map((code) => new Reply(code, undefined).positive)).toEqual([true, true, false, false]);
});
