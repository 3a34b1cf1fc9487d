import type { Command, Verb } from './command.ts';

/** The states of a session (RFC 1939 §3). UPDATE has no commands: QUIT enters it and ends. */
export type Phase = 'authorization' | 'transaction';

/** A command as the table distinguishes it: AUTH without a mechanism is no login. */
export type Step = Verb | 'AUTH LIST';

/** A phase to go to: `same` stays, `update` and `closed` end the session. */
export type Next = Phase | 'same' | 'update' | 'closed';

/**
 * The steps of each phase, with the phase that follows when the step has succeeded. The session
 * dispatches commands by this table alone, and answers a step that the phase lacks with -ERR. See
 * RFC 1939 §4 to §7, RFC 2449 §5, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2.1.
 *
 * LAST (RFC 1460) is in no phase, because RFC 1725 removed it. fetchmail asks for it and believes
 * the answer: 0 makes fetchmail fetch each message again, and -ERR makes it compare unique ids.
 */
export const phases: Readonly<Record<Phase, Readonly<Partial<Record<Step, Next>>>>> = {
  authorization: {
    APOP: 'transaction',
    AUTH: 'transaction',
    'AUTH LIST': 'same',
    CAPA: 'same',
    PASS: 'transaction',
    QUIT: 'closed',
    STLS: 'same',
    USER: 'same',
    UTF8: 'same',
  },
  transaction: {
    CAPA: 'same',
    DELE: 'same',
    LIST: 'same',
    NOOP: 'same',
    QUIT: 'update',
    RETR: 'same',
    RSET: 'same',
    STAT: 'same',
    TOP: 'same',
    UIDL: 'same',
  },
};

/** Returns the step of a command. */
export function stepOf(command: Command): Step {
  return command.verb === 'AUTH' && command.mechanism === undefined ? 'AUTH LIST' : command.verb;
}

/** The steps that an endpoint which requires TLS accepts without it (RFC 2595 §4). */
export const allowedWithoutTls: ReadonlySet<Step> = new Set<Step>(['CAPA', 'QUIT', 'STLS']);

/** The commands that bring a client nothing after its login: too many of them are slowed down. */
export const junkVerbs: ReadonlySet<Verb> = new Set<Verb>(['CAPA', 'LAST', 'NOOP', 'RSET', 'STAT']);
