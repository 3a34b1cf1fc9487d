import { CLOSING } from '../error-replies.ts';
import { SMALL_CHUNK_OCTETS } from '../message/bdat-message.ts';
import type { ParsedLine } from '../protocol/command.ts';
import type { Reply } from '../protocol/reply.ts';
import type { State } from './state.ts';

/** The consequence of a junk command. */
export type JunkPenalty = 'none' | 'delay' | 'disconnect';

/**
 * Counts a command that brings no message, and returns the consequence (after Postfix's
 * `smtpd_junk_command_limit`). A refused recipient and a small chunk count a tenth, because one
 * mailing has many of them. Each ten seconds take one command off the count, so that a client may
 * keep a connection alive.
 */
export function countJunk(state: State, line: ParsedLine | undefined, reply: Reply): JunkPenalty {
  const tenths = tenthsOf(line, reply);
  if (tenths === 0) return 'none';
  const { limits, settings } = state;
  const now = settings.clock.now();
  state.junkTenths = tenths + Math.max(0, state.junkTenths - (now - state.junkCountedAt) / MS_PER_TENTH);
  state.junkCountedAt = now;
  const commands = state.junkTenths / 10;
  if (commands > limits.maxJunkCommands) return 'disconnect';
  return commands > limits.undelayedJunkCommands && limits.junkCommandDelay > 0 ? 'delay' : 'none';
}

function tenthsOf(line: ParsedLine | undefined, { code, positive }: Reply): number {
  switch (line?.verb) {
    case 'RCPT':
      return positive ? 0 : 1;
    case 'BDAT':
      if (!positive) return 10;
      return 'octets' in line && line.octets < SMALL_CHUNK_OCTETS && !line.last ? 1 : 0;
    case 'MAIL':
    case 'DATA':
    case 'AUTH':
    case 'STARTTLS':
    case 'XCLIENT':
    case 'QUIT':
      return positive || code === CLOSING ? 0 : 10;
    default:
      return code === CLOSING ? 0 : 10;
  }
}

/** Milliseconds that take a tenth of a command off the count. */
const MS_PER_TENTH = 1_000;
