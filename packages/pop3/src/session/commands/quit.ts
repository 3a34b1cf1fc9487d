import { after, type MaybePromise, settled } from '@postern/core';
import { NOT_REMOVED } from '../../error-replies.ts';
import { inTime } from '../in-time.ts';
import { reportMailboxError } from '../report-mailbox-error.ts';
import type { State } from '../state.ts';

/**
 * QUIT (RFC 1939 §4, §6). After a login it removes the marked messages and unlocks the mailbox
 * before the reply: the client may log in again at once.
 */
export function quit(state: State): MaybePromise<string> {
  if (state.phase === 'authorization') return BYE;
  const { maildrop } = state;
  const { deleted, retrieved } = maildrop;
  maildrop.removed = deleted.length;
  return settled(
    () => inTime(state, maildrop.mailbox.update(deleted, retrieved)),
    () => after(state.logout('quit'), () => BYE),
    (error) => {
      reportMailboxError(state, 'QUIT', error);
      return after(state.logout('quit'), () => NOT_REMOVED);
    },
  );
}

const BYE = '+OK POP3 server signing off';
