import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, parseAnyForm, parseCommand } from '../../../packages/esmtp/src/protocol/command.ts';
import { readPlainPath } from '../../../packages/esmtp/src/protocol/plain-path.ts';
import { toleranceOf } from '../../../packages/esmtp/src/protocol/tolerance.ts';
import { anyCharacter } from '../../support/any-character.ts';
import { runs } from '../../support/fuzz.ts';

const tolerances = fc.constantFrom(
  toleranceOf('submission', false),
  toleranceOf('submission', true),
  toleranceOf('mx', false),
  toleranceOf('lmtp', true),
);
const atom = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,70}$/);
const label = fc.stringMatching(/^[A-Za-z0-9_-]{0,66}$/);
const parts = fc.oneof(
  { weight: 6, arbitrary: fc.array(atom, { maxLength: 4 }).map((atoms) => atoms.join('.')) },
  fc.stringMatching(/^[ab.@<>" \\\u00e4]{0,8}$/),
);
const domains = fc.oneof(
  { weight: 6, arbitrary: fc.array(label, { maxLength: 5 }).map((labels) => labels.join('.')) },
  fc.constantFrom('[192.0.2.1]', 'b\u00e4r.example', 'a..b', '.a', 'a.', '-a.b', 'a-.b', ''),
);
const rests = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom(
    ' SIZE=1',
    ' SIZE=1 BODY=8BITMIME',
    ' ',
    '  SIZE=1',
    ' SIZE=1 ',
    '\t',
    ' SIZE=1\t',
    'x',
    ' A=\u00c3\u00a4',
  ),
  fc.constantFrom(' A=\u00e4', ' SIZE', ' size=1', ' SIZE=1 SIZE=2', ' SIZE=', ' =1', ' \u0001', '>'),
  fc.string({ maxLength: 20, unit: anyCharacter }).map((text) => Buffer.from(text).toString('latin1')),
);
const keywords = fc.constantFrom(
  'MAIL FROM:',
  'RCPT TO:',
  'mail FROM:',
  'Rcpt TO:',
  'MAIL TO:',
  'RCPT FROM:',
  'MAIL FROM: ',
);
const lines = fc
  .tuple(keywords, parts, domains, rests, fc.constantFrom('<', '', '<@a.example:'), fc.constantFrom('>', ''))
  .map(([keyword, local, domain, rest, open, close]) => `${keyword}${open}${local}@${domain}${close}${rest}`);

describe('the common form of MAIL and RCPT', () => {
  test('has the result of the parser of any form', () => {
    fc.assert(
      fc.property(lines, tolerances, (line, tolerance) => {
        const parsed = parseCommand(line, tolerance);
        const expected = parseAnyForm(line, tolerance);
        expect(parsed).toEqual(expected);
        const paths = [parsed, expected].map((command) => (command as { path?: unknown }).path);
        const [path, other] = paths as Extract<Command, { verb: 'MAIL' }>['path'][];
        expect([path?.isAscii, path?.toString()]).toEqual([other?.isAscii, other?.toString()]);
      }),
      { numRuns: runs(3_000) },
    );
  });

  test.each([
    'MAIL FROM:<ann@example.com>',
    "mail FROM:<!#$%&'*+-/=?^_`{|}~.a@a_b.c-d.1>",
    'RCPT TO:<a@b> NOTIFY=NEVER',
    `RCPT TO:<${'l'.repeat(242)}@example.com>`,
    `RCPT TO:<a@${'d'.repeat(63)}.e>`,
  ])('%s has it', (line) => {
    expect(readPlainPath(line, line.indexOf('<'))).toBeDefined();
  });

  test.each([
    '<>',
    '<@example.com>',
    '<.a@example.com>',
    '<a.@example.com>',
    '<a..b@example.com>',
    '<"a"@example.com>',
    '<a@>',
    '<a@.b>',
    '<a@b.>',
    '<a@-b>',
    '<a@b->',
    '<a@[192.0.2.1]>',
    '<a@b',
    '<a',
    'a@b',
    '<a@b\u00e4>',
    '<\u00e4@b>',
    `<${'l'.repeat(243)}@example.com>`,
    `<a@${'d'.repeat(64)}.e>`,
  ])('%s does not have it', (text) => {
    expect(readPlainPath(text, 0)).toBeUndefined();
  });
});
