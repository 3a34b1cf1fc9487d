import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCommand, verbOf } from '../../../packages/pop3/src/protocol/command.ts';
import { runs } from '../../support/fuzz.ts';

const octets = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('a command line', () => {
  test.each([
    ['CAPA', { verb: 'CAPA' }],
    ['capa', { verb: 'CAPA' }],
    ['NoOp   ', { verb: 'NOOP' }],
    ['USER ann', { verb: 'USER', name: octets('ann') }],
    ['USER ann lee ', { verb: 'USER', name: octets('ann lee ') }],
    ['USER \xc3\xa4', { verb: 'USER', name: octets('\xc3\xa4') }],
    ['PASS  two spaces  ', { verb: 'PASS', password: octets(' two spaces  ') }],
    ['PASS ', { verb: 'PASS', password: octets('') }],
    [
      'APOP mrose c4c9334bac560ecc979e58001b3e22fb',
      { verb: 'APOP', name: octets('mrose'), digest: 'c4c9334bac560ecc979e58001b3e22fb' },
    ],
    [
      'APOP ann lee C4C9334BAC560ECC979E58001B3E22FB',
      { verb: 'APOP', name: octets('ann lee'), digest: 'c4c9334bac560ecc979e58001b3e22fb' },
    ],
    ['AUTH', { verb: 'AUTH', mechanism: undefined, initialResponse: undefined }],
    ['AUTH ', { verb: 'AUTH', mechanism: undefined, initialResponse: undefined }],
    ['AUTH plain', { verb: 'AUTH', mechanism: 'plain', initialResponse: undefined }],
    ['AUTH PLAIN =', { verb: 'AUTH', mechanism: 'PLAIN', initialResponse: '=' }],
    ['AUTH PLAIN AGFubg== ', { verb: 'AUTH', mechanism: 'PLAIN', initialResponse: 'AGFubg==' }],
    ['LIST', { verb: 'LIST', message: undefined }],
    ['LIST ', { verb: 'LIST', message: undefined }],
    ['UIDL 12', { verb: 'UIDL', message: 12 }],
    ['RETR 1 ', { verb: 'RETR', message: 1 }],
    ['RETR 0', { verb: 'RETR', message: 0 }],
    ['DELE 007', { verb: 'DELE', message: 7 }],
    [`RETR ${'9'.repeat(100_000)}`, { verb: 'RETR', message: Number.POSITIVE_INFINITY }],
    ['TOP 1 0', { verb: 'TOP', message: 1, lines: 0 }],
    ['TOP 1 99999999', { verb: 'TOP', message: 1, lines: 99_999_999 }],
    [`TOP 1 ${'9'.repeat(40)}`, { verb: 'TOP', message: 1, lines: Number.POSITIVE_INFINITY }],
  ])('%.40s is parsed', (line, command) => {
    expect(parseCommand(line)).toEqual(command);
  });

  test.each([
    ['CAPA x', 'CAPA', 'syntax'],
    ['USER', 'USER', 'syntax'],
    ['USER ', 'USER', 'syntax'],
    ['PASS', 'PASS', 'syntax'],
    ['APOP mrose', 'APOP', 'syntax'],
    ['APOP mrose c4c9', 'APOP', 'syntax'],
    ['APOP  c4c9334bac560ecc979e58001b3e22fb', 'APOP', 'syntax'],
    ['AUTH PLAIN AGFubg== x', 'AUTH', 'syntax'],
    ['AUTH PLAIN  AGFubg==', 'AUTH', 'syntax'],
    ['LIST x', 'LIST', 'message-number'],
    ['LIST 1 2', 'LIST', 'message-number'],
    ['RETR', 'RETR', 'syntax'],
    ['RETR -1', 'RETR', 'message-number'],
    ['RETR +1', 'RETR', 'message-number'],
    ['RETR 1.5', 'RETR', 'message-number'],
    ['DELE 0x1', 'DELE', 'message-number'],
    ['TOP', 'TOP', 'syntax'],
    ['TOP 1', 'TOP', 'syntax'],
    ['TOP x 1', 'TOP', 'message-number'],
    ['TOP 1 -1', 'TOP', 'syntax'],
    ['QUIT now', 'QUIT', 'syntax'],
  ])('%s is malformed', (line, verb, fault) => {
    expect(parseCommand(line)).toEqual({ verb, fault });
  });

  test.each([
    '',
    ' ',
    ' CAPA',
    'XTND XMIT',
    'constructor',
    '__proto__',
    'toString',
    'USER\tann',
    'CAPA\0',
    'GET / HTTP/1.1',
  ])('%j is unknown', (line) => {
    expect(parseCommand(line)).toEqual({ verb: undefined });
  });

  test('has a result, whatever its octets are', () => {
    const verb = fc.constantFrom(
      'USER',
      'PASS',
      'APOP',
      'AUTH',
      'LIST',
      'UIDL',
      'RETR',
      'DELE',
      'TOP',
      'CAPA',
      'QUIT',
      '',
    );
    const rest = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(verb, fc.constantFrom('', ' ', '  '), rest, (first, space, more) => {
        const parsed = parseCommand(`${first}${space}${more}`);
        expect(parsed.verb).toBe(verbOf(`${first}${space}${more}`));
        if ('message' in parsed && parsed.message !== undefined) expect(parsed.message).toBeGreaterThanOrEqual(0);
        if ('lines' in parsed) expect(parsed.lines).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: runs(500) },
    );
  });
});

test('parsing a line takes time linear in its length', () => {
  const n = 100_000;
  for (const line of [
    `AUTH${' '.repeat(n)}x y z`,
    `AUTH PLAIN${' '.repeat(n)}x`,
    `AUTH PLAIN${' '.repeat(n)}`,
    `RETR ${'0'.repeat(n)}x`,
    `RETR ${'0'.repeat(n)}1${' '.repeat(n)}x`,
    `RETR ${'1'.repeat(n)}x`,
    `LIST 1${' '.repeat(n)}x`,
    `TOP ${'0'.repeat(n)} ${'0'.repeat(n)}x`,
    `CAPA${' '.repeat(n)}x`,
    `APOP ${' '.repeat(n)}${'a'.repeat(32)}${' '.repeat(n)}x`,
    `APOP ${`a ${'0'.repeat(32)}`.repeat(n / 32)}`,
  ]) {
    expect(parseCommand(line).verb).toBeTypeOf('string');
  }
});
