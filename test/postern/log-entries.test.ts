import { ANONYMOUS, LoginDenied, UnauthorizedLogin } from '@postern/cred';
import { type EsmtpEvent, logTo, Mailbox, Reply } from '@postern/esmtp';
import { testMind } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { jsonLog } from '../../packages/postern/src/json-log.ts';
import { type Log, prettyLog } from '../../packages/postern/src/log.ts';
import { logEvents } from '../../packages/postern/src/log-events.ts';
import { runs } from '../support/fuzz.ts';

/** Texts of clients: any characters, characters that a form of the log escapes, long texts. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(' ', '"', '=', ',', '\\', '\n', '\u001b', '\u007f', '\u009b', '\u202e', 'ä', '💌'),
  }),
  fc.string({ unit: 'grapheme-ascii' }),
  fc.constantFrom('joe', 'joe@example.com', '', '<>', 'x'.repeat(500), 'x'.repeat(501)),
);
const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 20 });
const mailbox = fc.oneof(
  fc.constant(new Mailbox('joe', 'example.com')),
  fc.tuple(text, text).map(([local, domain]) => new Mailbox(local, domain)),
);
const sender = fc.option(mailbox, { nil: null });
const avatarId = fc.oneof(text, fc.constant(ANONYMOUS), fc.constant(undefined));
const reply = fc.constantFrom(
  new Reply(250, '2.0.0', 'Ok: queued as 4Qz'),
  new Reply(550, '5.1.1', 'No "such" user', 'a=b'),
  new Reply(421, undefined, 'x'.repeat(490), 'x'.repeat(490)),
);
const address = fc.oneof(
  fc.record({ family: fc.constant('IPv4'), address: fc.ipV4(), port: fc.integer({ min: 0, max: 65_535 }) }),
  fc.record({ family: fc.constant('IPv6'), address: fc.ipV6(), port: fc.integer({ min: 0, max: 65_535 }) }),
  fc.record({ family: fc.constant('unix'), address: text, port: fc.constant(0) }),
  // A proxy of the operator's own may give any text.
  fc.record({ family: fc.constantFrom('IPv4', 'IPv6'), address: text, port: fc.constant(25) }),
);
const tls = fc.option(fc.record({ version: ascii, cipher: ascii }), { nil: undefined });
const mind = fc.record({ remote: address, local: address, tls }).map((parts) => ({ ...testMind(), ...parts }));
const failed = fc.array(fc.record({ recipient: text, reply }), { maxLength: 3 });
const envelope = fc.record({
  id: ascii,
  reversePath: sender,
  recipients: fc.array(fc.record({ forwardPath: mailbox, parameters: fc.constant({}) }), { maxLength: 3 }),
});
const nextHops = fc.array(fc.record({ host: text, reply, recipients: fc.array(text, { maxLength: 3 }) }), {
  maxLength: 2,
});
const octets = fc.oneof(fc.nat(), fc.maxSafeInteger(), fc.double());
const mechanism = fc.constantFrom('PLAIN', 'SCRAM-SHA-256', undefined);
const loginError = fc.constantFrom(
  new UnauthorizedLogin(),
  new LoginDenied('disabled'),
  new LoginDenied('too-many', undefined, { retryAfter: 90_000 }),
);
const kind = <K extends EsmtpEvent['kind']>(name: K) => fc.constant(name);

const event = fc.oneof(
  fc.record({ mind, kind: kind('connected') }),
  fc.record({ mind, kind: kind('tls-started') }),
  fc.record({ mind, kind: kind('invalid-client-name'), name: text }),
  fc.record({ mind, kind: kind('forwarded'), peer: address }),
  fc.record({ mind, kind: kind('foreign-protocol'), protocol: fc.constantFrom('TLS', 'HTTP'), reply }),
  fc.record({ mind, kind: kind('authenticated'), mechanism: ascii, avatarId: fc.oneof(text, fc.constant(ANONYMOUS)) }),
  fc.record({ mind, kind: kind('login-refused'), mechanism, error: loginError, reply, username: text }),
  fc.record({ mind, kind: kind('sender-refused'), sender, avatarId, reply }),
  fc.record({ mind, kind: kind('recipient-refused'), recipient: mailbox, sender, avatarId, reply }),
  fc.record({ mind, kind: kind('command-refused'), verb: fc.constantFrom('VRFY', undefined), reply }),
  fc.record({ mind, kind: kind('message-accepted'), envelope, avatarId, octets, failed, reply, nextHops }),
  fc.record({ mind, kind: kind('message-refused'), envelope, avatarId, reply, failed }),
  fc.record({
    mind,
    kind: kind('error'),
    culprit: fc.constantFrom('client', 'us'),
    during: kind('error'),
    cause: text,
  }),
  fc.record({ mind, kind: kind('closed'), reason: fc.constantFrom('quit', 'timeout'), reply }),
) as fc.Arbitrary<EsmtpEvent>;

const TIME = Date.UTC(2026, 10, 30, 9, 26, 55, 7);

/** Returns the lines of an event: from the log's own entries, or from its general formatter. */
function lineOf(open: (write: (line: string) => void) => Log, hasEntries: boolean, logged: EsmtpEvent): string {
  let lines = '';
  const log = open((line) => {
    lines += line;
  });
  logEvents(hasEntries ? log : { ...log, entries: undefined }, logTo)(logged);
  return lines;
}

describe.each([
  ['pretty', prettyLog],
  ['JSON', jsonLog],
] as const)('the %s log', (_form, open) => {
  it('has the same line for an event, field by field and from an object of the fields', () => {
    vi.useFakeTimers({ now: TIME, toFake: ['Date'] });
    try {
      fc.assert(
        fc.property(event, (logged) => {
          const line = lineOf(open, true, logged);
          expect(line).toBe(lineOf(open, false, logged));
          expect(line).toMatch(/^[^\n]*2026-11-30T09:26:55\.007Z[^\n]*\n$/);
        }),
        { numRuns: runs(500) },
      );
    } finally {
      vi.useRealTimers();
    }
  });
});
