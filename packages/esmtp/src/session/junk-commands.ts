import { CLOSING } from '../error-replies.ts';
import { SMALL_CHUNK } from '../message/bdat-message.ts';
import type { Command, Malformed, NoCommand } from '../protocol/command.ts';
import type { Reply } from '../protocol/reply.ts';
import type { State } from './state.ts';

/** What a junk command costs the client. */
export type JunkPenalty = 'none' | 'delay' | 'disconnect';

/**
 * Counts a command that brings no message, and returns what it costs (after the junk commands of
 * Postfix). A refused recipient and a small chunk count a tenth: a mailing has many of them. A
 * command is forgotten after ten seconds, so that no client suffers that keeps a connection alive.
 */
export function countJunk(state: State, said: Command | Malformed | NoCommand | undefined, reply: Reply): JunkPenalty {
  const tenths = tenthsOf(said, reply);
  if (tenths === 0) return 'none';
  const { limits, settings } = state;
  const now = settings.clock.now();
  state.junkTenths = tenths + Math.max(0, state.junkTenths - (now - state.junkCountedAt) / MS_A_TENTH);
  state.junkCountedAt = now;
  const commands = state.junkTenths / 10;
  if (commands > limits.maxJunkCommands) return 'disconnect';
  return commands > limits.undelayedJunkCommands && limits.junkCommandDelay > 0 ? 'delay' : 'none';
}

function tenthsOf(said: Command | Malformed | NoCommand | undefined, { code, positive }: Reply): number {
  switch (said?.verb) {
    case 'RCPT':
      return positive ? 0 : 1;
    case 'BDAT':
      if (!positive) return 10;
      return 'octets' in said && said.octets < SMALL_CHUNK && !said.last ? 1 : 0;
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

/** A tenth of a command is forgotten after so many milliseconds. */
const MS_A_TENTH = 1_000;
