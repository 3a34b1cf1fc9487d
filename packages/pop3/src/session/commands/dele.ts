import type { CommandOf } from '../../protocol/command.ts';
import { indexOf } from '../message-index.ts';
import type { State } from '../state.ts';

/** DELE (RFC 1939 §5): marks a message. Only QUIT removes it. */
export function dele(state: State, { message }: CommandOf<'DELE'>): string {
  state.maildrop.delete(indexOf(state.maildrop, message));
  return `+OK message ${message} deleted`;
}
