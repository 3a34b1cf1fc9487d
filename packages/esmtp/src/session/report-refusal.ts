import { CLOSING } from '../error-replies.ts';
import type { Command, Malformed, NoCommand, Verb } from '../protocol/command.ts';
import type { Reply } from '../protocol/reply.ts';
import type { State } from './state.ts';

/** Tells of the refusal that the client gets for what it said, unless an event has told of it already. */
export function reportRefusal(state: State, said: Command | Malformed | NoCommand | undefined, reply: Reply): void {
  if (!state.isHeard) return;
  const { told, login } = state;
  // A reply that ends the connection may stand in the place of the one that was told of.
  if (told !== undefined && (reply.code !== CLOSING || told.code === CLOSING)) return;
  const avatarId = login?.avatarId;
  if (said !== undefined && 'path' in said) {
    if (said.verb === 'MAIL') state.tell({ kind: 'sender-refused', sender: said.path, avatarId, reply });
    else {
      const sender = state.transaction?.reversePath;
      state.tell({ kind: 'recipient-refused', recipient: said.path, sender, avatarId, reply });
    }
    return;
  }
  state.tell({ kind: 'command-refused', verb: said === undefined ? undefined : verbOf(said.verb), reply });
}

function verbOf(verb: Verb | NoCommand['verb']): Verb | undefined {
  return verb === 'unrecognised' || verb === 'unimplemented' || verb === 'foreign' ? undefined : verb;
}
