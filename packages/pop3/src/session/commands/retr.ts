import type { CommandOf } from '../../protocol/command.ts';
import { indexOf } from '../message-index.ts';
import { sendMessage } from '../send-message.ts';
import type { State } from '../state.ts';

/** RETR (RFC 1939 §5): a whole message. */
export function retr(state: State, { message }: CommandOf<'RETR'>): Promise<undefined> {
  const index = indexOf(state.maildrop, message);
  const octets = state.maildrop.messages[index]?.octets;
  return sendMessage(state, { verb: 'RETR', index, first: `+OK ${octets} octets`, bodyLines: undefined });
}

/** TOP (RFC 1939 §7): the header of a message and the first lines of its body. */
export function top(state: State, { message, lines }: CommandOf<'TOP'>): Promise<undefined> {
  const index = indexOf(state.maildrop, message);
  return sendMessage(state, { verb: 'TOP', index, first: '+OK top of message follows', bodyLines: lines });
}
