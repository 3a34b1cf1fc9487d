import type { ParsedLine, Verb } from './command.ts';
import type { Tolerance } from './tolerance.ts';

/**
 * The phases of a session. `start`: before EHLO, and again after STARTTLS. `plain`: after HELO.
 * `extended`: after EHLO or LHLO. `mail`: in a transaction without recipients. `rcpt`: in one with
 * a recipient. `chunks`: in one whose message has begun with a BDAT.
 */
export type Phase = 'start' | 'plain' | 'extended' | 'mail' | 'rcpt' | 'chunks';

/** A command as the table distinguishes it: the last BDAT of a message leads to another phase. */
export type Step = Verb | 'BDAT LAST';

/**
 * A phase to go to: `same` stays, `idle` returns to the phase before the transaction, `closed` ends
 * the session.
 */
export type Next = Phase | 'same' | 'idle' | 'closed';

/** The steps of each phase, with the phase that follows when the step has succeeded. */
export type Phases = Readonly<Record<Phase, Readonly<Partial<Record<Step, Next>>>>>;

/**
 * Returns the table of a protocol (RFC 5321 §4.1.4, RFC 4954 §4, RFC 3207 §4, RFC 3030 §2). A
 * command that its phase lacks is 503, and one that each phase lacks is 500: the other protocol's
 * greeting (RFC 2033 §4.1). The session dispatches commands by this table alone.
 */
export function phasesOf(protocol: 'smtp' | 'lmtp', { authAfterHelo }: Pick<Tolerance, 'authAfterHelo'>): Phases {
  const phases = protocol === 'lmtp' ? LMTP : SMTP;
  return authAfterHelo ? { ...phases, plain: { ...phases.plain, AUTH: 'same' } } : phases;
}

function phasesWith(greetings: Readonly<Partial<Record<Verb, Next>>>): Phases {
  const anywhere = { ...greetings, RSET: 'idle', NOOP: 'same', VRFY: 'same', HELP: 'same', QUIT: 'closed' } as const;
  return {
    start: { ...anywhere, STARTTLS: 'start', XCLIENT: 'start' },
    plain: { ...anywhere, STARTTLS: 'start', XCLIENT: 'start', MAIL: 'mail' },
    extended: { ...anywhere, STARTTLS: 'start', XCLIENT: 'start', AUTH: 'same', MAIL: 'mail' },
    mail: { ...anywhere, RCPT: 'rcpt' },
    rcpt: { ...anywhere, RCPT: 'same', DATA: 'idle', BDAT: 'chunks', 'BDAT LAST': 'idle' },
    // DATA is here because its refusal also refuses the message (RFC 3030 §2).
    chunks: { ...anywhere, BDAT: 'same', 'BDAT LAST': 'idle', DATA: 'same' },
  };
}

/** Returns the commands of the table's protocol. */
export function verbsOf(phases: Phases): ReadonlySet<string> {
  return new Set(Object.values(phases).flatMap((steps) => Object.keys(steps)));
}

const SMTP = phasesWith({ EHLO: 'extended', HELO: 'plain' });
const LMTP = phasesWith({ LHLO: 'extended' });

/** The commands that a listener which requires TLS accepts without it (RFC 3207 §4). */
export const allowedWithoutTls: ReadonlySet<Verb> = new Set<Verb>(['EHLO', 'LHLO', 'NOOP', 'QUIT', 'STARTTLS']);

/** The commands that a server which requires authentication accepts without it (RFC 4954 §6). */
export const allowedWithoutAuthentication: ReadonlySet<Verb> = new Set<Verb>([
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

/**
 * The lines that end a group of pipelined commands: their replies leave at once (RFC 2920 §3.2).
 */
export const endsGroup: ReadonlySet<string> = new Set<ParsedLine['verb']>([
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
