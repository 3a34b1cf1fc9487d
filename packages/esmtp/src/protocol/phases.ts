import type { Verb } from './command.ts';
import type { Tolerance } from './tolerance.ts';

/**
 * Where a session stands: before EHLO or HELO (or again, after STARTTLS); after HELO; after EHLO or LHLO; in a transaction with a
 * sender; in one with at least one recipient; in one with a message of which a chunk has come.
 */
export type Phase = 'start' | 'plain' | 'extended' | 'mail' | 'rcpt' | 'chunks';

/** Where a positive reply leads: `same` stays, `home` is where the session stood before the transaction, `over` takes leave. */
export type Next = Phase | 'same' | 'home' | 'over';

/** Which command when, and where a positive reply leads. */
export type Phases = Readonly<Record<Phase, Readonly<Partial<Record<Verb, Next>>>>>;

/**
 * Returns the phases of a protocol (RFC 5321 §4.1.4, RFC 4954 §4, RFC 3207 §4, RFC 3030 §2). A verb that a phase lacks is 503. The
 * protocols differ in the greeting (RFC 2033 §4.1): the other's is not recognised.
 */
export function phasesOf(protocol: 'smtp' | 'lmtp', { authAfterHelo }: Pick<Tolerance, 'authAfterHelo'>): Phases {
  const phases = protocol === 'lmtp' ? LMTP : SMTP;
  return authAfterHelo ? { ...phases, plain: { ...phases.plain, AUTH: 'same' } } : phases;
}

function phasesWith(greetings: Readonly<Partial<Record<Verb, Next>>>): Phases {
  const anywhere = { ...greetings, RSET: 'home', NOOP: 'same', VRFY: 'same', HELP: 'same', QUIT: 'over' } as const;
  return {
    start: { ...anywhere, STARTTLS: 'start', XCLIENT: 'start' },
    plain: { ...anywhere, STARTTLS: 'start', XCLIENT: 'start', MAIL: 'mail' },
    extended: { ...anywhere, STARTTLS: 'start', XCLIENT: 'start', AUTH: 'same', MAIL: 'mail' },
    mail: { ...anywhere, RCPT: 'rcpt' },
    rcpt: { ...anywhere, RCPT: 'same', DATA: 'home', BDAT: 'chunks' },
    // DATA comes to be refused, together with the message (RFC 3030 §2).
    chunks: { ...anywhere, BDAT: 'same', DATA: 'same' },
  };
}

const SMTP = phasesWith({ EHLO: 'extended', HELO: 'plain' });
const LMTP = phasesWith({ LHLO: 'extended' });

/** What a listener that requires TLS does without it (RFC 3207 §4). */
export const beforeTls: ReadonlySet<Verb> = new Set<Verb>(['EHLO', 'LHLO', 'NOOP', 'QUIT', 'STARTTLS']);

/** What a server that requires authentication does without it (RFC 4954 §6). */
export const beforeAuthentication: ReadonlySet<Verb> = new Set<Verb>([
  'AUTH',
  'EHLO',
  'HELO',
  'LHLO',
  'NOOP',
  'QUIT',
  'RSET',
  'STARTTLS',
  'XCLIENT',
]);

/** What ends a group of pipelined commands, so that its reply leaves at once (RFC 2920 §3.2). */
export const endsGroup: ReadonlySet<string> = new Set<Verb | 'unrecognised' | 'unimplemented'>([
  'AUTH',
  'EHLO',
  'LHLO',
  'NOOP',
  'QUIT',
  'STARTTLS',
  'VRFY',
  'XCLIENT',
  'unimplemented',
  'unrecognised',
]);
