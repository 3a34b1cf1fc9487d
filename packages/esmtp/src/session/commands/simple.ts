import { after, type MaybePromise } from '@postern/core';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** RSET (RFC 5321 §4.1.1.5): ends the transaction. */
export function rset(state: State): MaybePromise<Reply> {
  return after(state.abortMessage(), () => OK);
}

/** NOOP (RFC 5321 §4.1.1.9). */
export const noop = (): Reply => OK;

/** HELP (RFC 5321 §4.1.1.8): lists the commands that this client may use. */
export function help({
  settings: { authentication, disabledExtensions, protocol },
  canStartTls,
  trustsPeer,
}: State): Reply {
  const verbs = [
    ...(protocol === 'lmtp' ? ['LHLO'] : ['EHLO', 'HELO']),
    ...(authentication === 'none' ? [] : ['AUTH']),
    ...(canStartTls ? ['STARTTLS'] : []),
    ...(trustsPeer ? ['XCLIENT'] : []),
    'MAIL RCPT DATA',
    ...(disabledExtensions.has('CHUNKING') ? [] : ['BDAT']),
    'RSET NOOP VRFY HELP QUIT',
  ];
  return new Reply(214, '2.0.0', `Commands: ${verbs.join(' ')}`);
}

/** QUIT (RFC 5321 §4.1.1.10). */
export function quit(state: State): MaybePromise<Reply> {
  return after(state.abortMessage(), () => state.settings.quitReplies.get(state.hostname));
}

const OK = new Reply(250, '2.0.0', 'OK');
