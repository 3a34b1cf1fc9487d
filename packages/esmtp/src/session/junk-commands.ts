import { countJunk, type JunkPenalty } from '@postern/sasl-profile';
import { CLOSING } from '../error-replies.ts';
import { SMALL_CHUNK_OCTETS } from '../message/bdat-message.ts';
import type { ParsedLine } from '../protocol/command.ts';
import type { Reply } from '../protocol/reply.ts';
import type { State } from './state.ts';

/**
 * Counts a command that brings no message, and returns the consequence. A refused recipient and a
 * small chunk count a tenth, because one mailing has many of them.
 */
export function countJunkCommand(state: State, line: ParsedLine | undefined, reply: Reply): JunkPenalty {
  const tenths = tenthsOf(line, reply);
  return tenths === 0 ? 'none' : countJunk(state, tenths);
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
