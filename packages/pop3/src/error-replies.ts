import { type LineError, LineTooLong } from '@postern/conversation';
import type { ClosingReason, LoginRefusal, StartTlsObstacle } from '@postern/sasl-profile';
import { MessageGone } from './errors.ts';

/** Returns the reply to a RETR or TOP whose message could not be opened. */
export function replyForMessage(error: unknown): string {
  return error instanceof MessageGone ? MESSAGE_GONE : MESSAGE_UNREADABLE;
}

/** Returns the reply to a line that cannot be read. */
export function replyForLine(error: LineError): string {
  return error instanceof LineTooLong ? LINE_TOO_LONG : BARE_LINE_ENDING;
}

/** The reply to a line over the limit. */
export const LINE_TOO_LONG = '-ERR line too long';
/** The reply to a command that needs TLS (RFC 2595 §4). */
export const NEEDS_TLS = '-ERR encryption required, issue STLS first';
/** The reply to a command that failed by no fault of the client (RFC 3206 §4). */
export const COMMAND_FAILED = '-ERR [SYS/TEMP] something went wrong here, try again later';
/** The reply to QUIT if the mailbox could not remove each message (RFC 1939 §6). */
export const NOT_REMOVED = '-ERR [SYS/TEMP] some deleted messages not removed';

const FAILED = '-ERR [AUTH] authentication failed';
const LOGIN_DEFERRED = '-ERR [SYS/TEMP] temporary authentication failure';
const MESSAGE_GONE = '-ERR no such message, another program has removed it';
const MESSAGE_UNREADABLE = '-ERR [SYS/TEMP] message not available';
const BARE_LINE_ENDING = '-ERR a line ends with CR and LF';

/**
 * The replies to AUTH, PASS and APOP (RFC 5034 §4, RFC 3206, RFC 2449 §8.1). A throttled client
 * gets `[SYS/TEMP]`, because `[LOGIN-DELAY]` would say that it has logged in before.
 */
export const loginReplies: Readonly<Record<LoginRefusal, string>> = {
  'needs-tls': NEEDS_TLS,
  'not-offered': '-ERR unrecognized authentication mechanism',
  cancelled: '-ERR authentication cancelled',
  malformed: '-ERR malformed authentication response',
  'too-long': '-ERR authentication response is too long',
  'unexpected-initial-response': '-ERR this mechanism takes no initial response',
  failed: FAILED,
  'mechanism-too-weak': '-ERR [AUTH] authentication mechanism is too weak',
  'transition-needed': '-ERR [AUTH] a password transition is needed',
  'in-use': '-ERR [IN-USE] maildrop already locked',
  'no-avatar': '-ERR [SYS/PERM] no maildrop for this user',
  throttled: LOGIN_DEFERRED,
  deferred: LOGIN_DEFERRED,
  'too-many-failures': '-ERR [AUTH] too many failed logins',
};

/** The replies to STLS that starts no TLS (RFC 2595 §4). */
export const stlsReplies: Readonly<Record<StartTlsObstacle, string>> = {
  active: '-ERR command not permitted when TLS active',
  'not-available': '-ERR TLS is not available',
  pipelined: '-ERR nothing may be sent behind STLS before TLS is up',
};

/** The last replies on connections that this server closes. After a timeout it says nothing. */
export const closingReplies: Readonly<Record<ClosingReason, string>> = {
  'foreign-protocol': '-ERR this is a POP3 server',
  'too-many-errors': '-ERR too many errors',
  'too-many-commands': '-ERR too many commands that read no message',
  timeout: '-ERR took too long',
  displaced: '-ERR [SYS/TEMP] too many connections, try again later',
  shutdown: '-ERR [SYS/TEMP] shutting down, try again later',
  misconfigured: '-ERR [SYS/PERM] system incorrectly configured',
  failed: '-ERR [SYS/TEMP] something went wrong here, closing the connection',
};
