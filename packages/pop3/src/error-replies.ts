import { Closing, Displaced, type LineError, LineTooLong, PeerGone, TimedOut } from '@postern/conversation';
import { LoginDenied, type LoginError, NoAvatar, UnauthorizedLogin, UnhandledCredentials } from '@postern/cred';
import { ExchangeCancelled, type ExchangeError, MalformedResponse } from '@postern/sasl';
import { Refusal } from '@postern/sasl-profile';
import { MailboxInUse, MessageGone } from './errors.ts';

/**
 * Returns the reply to a failed AUTH, PASS or APOP (RFC 3206 §3 to §5, RFC 2449 §8.1). The reply is
 * the same for an unknown user, a wrong password, a disabled account and a forbidden authorization
 * identity. A throttled client gets `[SYS/TEMP]`: `[LOGIN-DELAY]` would say that it has logged in.
 */
export function replyForLogin(error: LoginError | ExchangeError): string {
  if (error instanceof ExchangeCancelled) return CANCELLED;
  if (error instanceof MalformedResponse) return MALFORMATIONS[error.malformation];
  if (error instanceof UnauthorizedLogin) return FAILED;
  if (error instanceof LoginDenied) return DENIALS[error.reason];
  if (error instanceof MailboxInUse) return IN_USE;
  if (error instanceof NoAvatar) return NO_MAILBOX;
  return error instanceof UnhandledCredentials ? UNKNOWN_MECHANISM : LOGIN_DEFERRED;
}

/** Returns the reply to a RETR or TOP whose message could not be opened. */
export function replyForMessage(error: unknown): string {
  return error instanceof MessageGone ? MESSAGE_GONE : MESSAGE_UNREADABLE;
}

/** Returns the reply to a line that cannot be read. */
export function replyForLine(error: LineError): string {
  return error instanceof LineTooLong ? LINE_TOO_LONG : BARE_LINE_ENDING;
}

/**
 * Returns the last reply to a client whose conversation has failed; undefined for a client that has
 * disconnected, and for one that was idle for too long (RFC 1939 §3).
 */
export function closingReply(error: unknown): string | undefined {
  if (error instanceof Refusal) return error.reply;
  if (error instanceof PeerGone || error instanceof TimedOut) return undefined;
  if (error instanceof Displaced) return TOO_MANY_CONNECTIONS;
  return error instanceof Closing ? SHUTTING_DOWN : FAILING;
}

/** The reply to AUTH with a mechanism that is not offered (RFC 5034 §4). */
export const UNKNOWN_MECHANISM = '-ERR Unrecognized authentication mechanism';
/** The reply to a command that failed by no fault of the client. */
export const COMMAND_FAILED = '-ERR [SYS/TEMP] Something went wrong here, try again later';
/** The reply to a command that would show a password (RFC 8314 §4.1). */
export const NEEDS_TLS = '-ERR Encryption required, issue STLS first';
/** The reply to a line over the limit. */
export const LINE_TOO_LONG = '-ERR Line too long';
/** The last reply to a client with too many errors. */
export const TOO_MANY_ERRORS = '-ERR Too many errors';
/** The last reply to a client whose logins have failed too often. */
export const TOO_MANY_LOGIN_FAILURES = '-ERR [AUTH] Too many failed logins';
/** The reply to QUIT if the mailbox could not remove each message (RFC 1939 §6). */
export const NOT_REMOVED = '-ERR [SYS/TEMP] some deleted messages not removed';
/** The last reply to a client of a server whose configuration fails. */
export const MISCONFIGURED = '-ERR [SYS/PERM] System incorrectly configured';

const FAILED = '-ERR [AUTH] Authentication failed';
const LOGIN_DEFERRED = '-ERR [SYS/TEMP] Temporary authentication failure';
const IN_USE = '-ERR [IN-USE] maildrop already locked';
const NO_MAILBOX = '-ERR [SYS/PERM] No maildrop for this user';
const CANCELLED = '-ERR Authentication cancelled';
const BAD_RESPONSE = '-ERR Malformed authentication response';
const MESSAGE_GONE = '-ERR no such message, another program has removed it';
const MESSAGE_UNREADABLE = '-ERR [SYS/TEMP] message not available';
const BARE_LINE_ENDING = '-ERR A line ends with CR and LF';
const TOO_MANY_CONNECTIONS = '-ERR [SYS/TEMP] Too many connections, try again later';
const SHUTTING_DOWN = '-ERR [SYS/TEMP] Shutting down, try again later';
const FAILING = '-ERR [SYS/TEMP] Something went wrong here, closing the connection';

const MALFORMATIONS: Readonly<Record<MalformedResponse['malformation'], string>> = {
  syntax: BAD_RESPONSE,
  encoding: BAD_RESPONSE,
  'line-ending': BAD_RESPONSE,
  'too-long': '-ERR Authentication response is too long',
  'unexpected-initial-response': '-ERR This mechanism takes no initial response',
};

/** RFC 3206 §5. A reply shows the state of an account only where the user can change it. */
const DENIALS: Readonly<Record<LoginDenied['reason'], string>> = {
  disabled: FAILED,
  expired: FAILED,
  'not-authorized': FAILED,
  policy: FAILED,
  'transition-needed': '-ERR [AUTH] A password transition is needed',
  'mechanism-too-weak': '-ERR [AUTH] Authentication mechanism is too weak',
  'too-many': LOGIN_DEFERRED,
};
