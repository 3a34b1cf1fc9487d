import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../packages/esmtp/src/protocol/command.ts';
import { anyCharacter } from '../support/any-character.ts';
import { runs } from '../support/fuzz.ts';
import { bodies, send } from './wire.ts';

const command = fc.constantFrom(
  'EHLO client.example.org\r\n',
  'HELO client.example.org\r\n',
  'AUTH PLAIN AGFubgBzZWNyZXQ=\r\n',
  'AUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\n',
  'AUTH PLAIN AGFubgB3cm9uZw==\r\n',
  'AUTH LOGIN\r\n*\r\n',
  'MAIL FROM:<ann@example.com>\r\n',
  'MAIL FROM:<ann@example.com> SIZE=100 BODY=8BITMIME SMTPUTF8\r\n',
  'MAIL FROM:<\xc3\xa4@example.com> SMTPUTF8\r\n',
  'RCPT TO:<bob@example.com>\r\n',
  'RCPT TO:<Postmaster>\r\n',
  'RCPT TO:<>\r\n',
  'DATA\r\n',
  'RSET\r\n',
  'NOOP\r\n',
  'VRFY bob\r\n',
  'VRFY bob SMTPUTF8\r\n',
  'MAIL FROM:<ann@example.com> BODY=BINARYMIME RET=HDRS ENVID=a+2Bb REQUIRETLS\r\n',
  'RCPT TO:<bob@example.com> NOTIFY=SUCCESS,DELAY ORCPT=utf-8;b\xc3\xb6b\r\n',
  'BDAT 6\r\nRSET\r\n',
  'BDAT 7 LAST\r\nline\r\n.',
  'BDAT 3\r\na\nb',
  'BDAT 0\r\n',
  'BDAT 0 LAST\r\n',
  'BDAT 2000 LAST\r\n',
  'BDAT 5x\r\n',
  'XYZZY\r\n',
  'NOOP\nNOOP\r\n',
  'Subject: hi\r\n\r\nhello\r\n.\r\n',
  '..\r\n.\r\n',
  'bare\nline\r\n.\r\n',
  '\r\n',
);
const transaction = fc.constant(
  'EHLO x\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nhello\r\n.\r\n',
);
const sessions = fc.array(fc.oneof({ weight: 6, arbitrary: command }, { weight: 1, arbitrary: transaction }), {
  maxLength: 25,
});

describe('a session', () => {
  test('makes the same replies and messages wherever its octets are split', async () => {
    await fc.assert(
      fc.asyncProperty(sessions, fc.integer(), async (parts, seed) => {
        // A half-close during a login cancels it: without QUIT the result would depend on the
        // slicing.
        const bytes = `${parts.join('')}QUIT\r\n`;
        const whole = await send(bytes);
        for (const chunks of ['octets', { seed }] as const) {
          const split = await send(bytes, { chunks });
          expect([split.said, bodies(split), split.server.kinds()]).toEqual([
            whole.said,
            bodies(whole),
            whole.server.kinds(),
          ]);
        }
      }),
      { numRuns: runs(150) },
    );
  });

  test('gets one well-formed reply for each line', async () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.string({ maxLength: 60, unit: anyCharacter }).map((text) => Buffer.from(text).toString('latin1')),
      fc
        .tuple(
          fc.constantFrom(
            'MAIL FROM:',
            'RCPT TO:',
            'EHLO ',
            'AUTH ',
            'VRFY ',
            'mail from:<',
            'NOOP',
            'STARTTLS',
            'RSET',
          ),
          fc.string({ maxLength: 40, unit: fc.constantFrom(...Array.from('<>@."\\ =:[]a1-\t\0\x80ä')) }),
        )
        .map(([verb, rest]) => verb + Buffer.from(rest).toString('latin1')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 15 }), async (lines) => {
        const clean = lines
          .map((text) => text.replace(/[\r\n]/g, ' '))
          .filter(
            (text) => !/^(AUTH|DATA|[\0 \t]*BDAT|QUIT|\x16)/i.test(text) && parseCommand(text).verb !== 'foreign',
          );
        // A client that half-closes during an anonymous login gets no further reply.
        const { said } = await send(
          [...clean, 'QUIT'].map((text) => `${text}\r\n`).join(''),
          {},
          { allowAnonymous: true, authentication: 'optional' },
        );
        const replies = said.split('\r\n').filter((text) => /^\d{3}( |$)/.test(text));
        expect(said).toMatch(/^(?:[2-5]\d\d[ -][ -~]*\r\n)+$/);
        expect(replies).toHaveLength(clean.length + 2);
      }),
      { numRuns: runs(200) },
    );
  });

  test('survives any garbage, and logs each login out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            command,
            transaction,
            fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
          ),
        ),
        fc.integer(),
        async (parts, seed) => {
          const { said, server } = await send(
            parts.join(''),
            { chunks: { seed } },
            { allowAnonymous: true, authentication: 'optional' },
          );
          expect(said).toMatch(/^(?:[2-5]\d\d[ -][ -~]*\r\n)*$/);
          expect(server.kinds().at(-1)).toBe('closed');
          expect(server.kinds()).not.toContain('error');
          expect(server.portal.openLogins).toBe(0);
          const { calls } = server.delivery;
          const count = (name: string): number => calls.filter((call) => call === name).length;
          expect(count('end') + count('abort')).toBe(count('open'));
          expect(calls.some((call) => call.endsWith('too late'))).toBe(false);
        },
      ),
      { numRuns: runs(200) },
    );
  });
});

test('parsing a command never throws', () => {
  const verbs = fc.constantFrom(
    'MAIL FROM:',
    'RCPT TO:',
    'AUTH ',
    'EHLO ',
    'VRFY ',
    'HELO ',
    '',
    'DATA',
    'NOOP ',
    'BDAT ',
  );
  fc.assert(
    fc.property(verbs, fc.uint8Array({ maxLength: 300 }), (verb, bytes) => {
      const command = parseCommand(verb + Buffer.from(bytes).toString('latin1'));
      return typeof command.verb === 'string';
    }),
    { numRuns: runs(2000) },
  );
});

test('parsing a line takes time linear in its length', () => {
  const n = 100_000;
  for (const line of [
    `MAIL FROM:<a@b> ${'X'.repeat(n)}`,
    `MAIL FROM:<a@b>${' X=1'.repeat(n)}`,
    `MAIL FROM:<a@b>${' '.repeat(n)}x`,
    `MAIL${' '.repeat(n)}FROM`,
    `MAIL FROM:${' '.repeat(n)}`,
    `MAIL FROM:<a@b> ${' \t'.repeat(n)}x`,
    `VRFY${' '.repeat(n)}x`,
    `NOOP${' '.repeat(n)}x`,
    `AUTH${' '.repeat(n)}x y z`,
    `AUTH x${' '.repeat(n)}\x80`,
    `EHLO ${'x'.repeat(n)}`,
    `RCPT TO:<a@b> ${'A=b '.repeat(n)}`,
    `${'\xff'.repeat(n)}`,
    `VRFY ${'\xff'.repeat(n)}`,
    `VRFY x${' SMTPUTF8'.repeat(n)}`,
    `BDAT ${'1'.repeat(n)}`,
    `BDAT 1${' '.repeat(n)}`,
    `RCPT TO:<a@b> ORCPT=utf-8;${'\\x{FF}'.repeat(n)}\\`,
  ]) {
    expect(parseCommand(line).verb).toBeTypeOf('string');
  }
});
