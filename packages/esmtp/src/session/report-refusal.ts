import { CLOSING } from '../error-replies.ts';
import type { ParsedLine, Verb } from '../protocol/command.ts';
import type { Reply } from '../protocol/reply.ts';
import type { State } from './state.ts';

/** Reports the refusal of a line, unless an event has reported it while the command ran. */
export function reportRefusal(state: State, line: ParsedLine | undefined, reply: Reply): void {
  if (!state.hasListener) return;
  const { reportedRefusal, login } = state;
  // A reply that closes the connection may replace the reported one.
  if (reportedRefusal !== undefined && (reply.code !== CLOSING || reportedRefusal.code === CLOSING)) return;
  const avatarId = login?.avatarId;
  if (line === undefined || !('path' in line)) {
    state.report({ mind: state.mind, kind: 'command-refused', verb: line && verbOf(line), reply });
  } else if (line.verb === 'MAIL') {
    state.report({ mind: state.mind, kind: 'sender-refused', sender: line.path, avatarId, reply });
  } else {
    const sender = state.transaction?.reversePath;
    state.report({ mind: state.mind, kind: 'recipient-refused', recipient: line.path, sender, avatarId, reply });
  }
}

/** Returns the verb of a line that holds a command of this server, valid or not. */
export function verbOf({ verb }: ParsedLine): Verb | undefined {
  return verb === 'unrecognised' || verb === 'unimplemented' || verb === 'foreign' ? undefined : verb;
}
