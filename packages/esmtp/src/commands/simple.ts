import type { MaybePromise } from '@postern/cred';
import { after } from '../promise.ts';
import { Reply } from '../reply.ts';
import type { State } from '../state.ts';

/** RSET (RFC 5321 §4.1.1.5). */
export function rset(state: State): MaybePromise<Reply> {
  return after(state.takeBack(), () => OK);
}

/** NOOP (RFC 5321 §4.1.1.9). */
export const noop = (): Reply => OK;

/** HELP (RFC 5321 §4.1.1.8). */
export const help = ({ settings: { protocol } }: State): Reply => (protocol === 'lmtp' ? LMTP_HELP : HELP);

/** QUIT (RFC 5321 §4.1.1.10). */
export function quit(state: State): MaybePromise<Reply> {
  return after(state.takeBack(), () => state.settings.farewell);
}

const OK = new Reply(250, '2.0.0', 'OK');
const HELP = new Reply(214, '2.0.0', 'Commands: AUTH BDAT DATA EHLO HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY');
const LMTP_HELP = new Reply(214, '2.0.0', 'Commands: AUTH BDAT DATA HELP LHLO MAIL NOOP QUIT RCPT RSET STARTTLS VRFY');
