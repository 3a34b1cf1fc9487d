import { BareLineEnding, LineTooLong } from '@postern/conversation';
import { isThrottled, LoginDenied, type LoginError, UnauthorizedLogin, UnhandledCredentials } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
import {
  type ClosingReason,
  closingReasonOf,
  HostnameFailed,
  type LoginRefusal,
  loginRefusalOf,
} from '@postern/sasl-profile';
import { customRefusal } from './login-rejection.ts';
import { FOREIGN } from './protocol/command.ts';
import { Rejection, Reply } from './protocol/reply.ts';

/**
 * Returns the reply to a failed AUTH (RFC 4954 §4, §6). The reply is the same for an unknown user,
 * a wrong password, a disabled account and a forbidden authorization identity. A checker may give a
 * reply of its own.
 */
export function replyForLogin(error: LoginError | ExchangeError): Reply {
  return customRefusal(error)?.reply ?? loginReplies[loginRefusalOf(error)];
}

/** Returns the reply to MAIL without AUTH, when the portal refuses the anonymous login. */
export function replyForAnonymous(error: LoginError): Reply {
  const own = customRefusal(error);
  if (own !== undefined) return own.reply;
  if (error instanceof UnhandledCredentials) return AUTHENTICATION_REQUIRED;
  if (isThrottled(error)) return THROTTLED;
  return error instanceof UnauthorizedLogin || error instanceof LoginDenied ? ANONYMOUS_REFUSED : DEFERRED;
}

/**
 * Returns the reply to a command that failed: that of a delivery's {@link Rejection}, or a deferral
 * that does not show the cause.
 */
export function replyFor(error: unknown): Reply {
  if (error instanceof HostnameFailed) return closingReplies.misconfigured;
  return error instanceof Rejection ? error.reply : DEFERRED;
}

/**
 * Returns a delivery's reply in a form that the client can read: the address in a 551 may hold
 * UTF-8 (RFC 6531 §3.7.4.1).
 */
export function inClientCharset(reply: Reply, utf8: boolean): Reply {
  if (reply.code !== NOT_LOCAL || reply.isAscii) return reply;
  return utf8 ? reply.inUtf8() : ADDRESS_NEEDS_UTF8;
}

/** Returns the reply to a line that cannot be read; undefined for an error of another kind. */
export function replyForLine(error: unknown): Reply | undefined {
  if (error instanceof LineTooLong) return /^auth /i.test(error.beginning) ? EXCHANGE_LINE_TOO_LONG : LINE_TOO_LONG;
  return error instanceof BareLineEnding ? BARE_LINE_ENDING : undefined;
}

/**
 * Returns the last reply to a client whose conversation has failed; undefined if the client has
 * disconnected.
 */
export function closingReply(error: unknown): Reply | undefined {
  const reason = closingReasonOf(error);
  return reason === undefined ? undefined : closingReplies[reason];
}

/** The code of replies behind which the server closes the connection (RFC 5321 §3.8). */
export const CLOSING = 421;

/** The reply to a command that needs AUTH (RFC 4954 §6). */
export const AUTHENTICATION_REQUIRED = new Reply(530, '5.7.0', 'Authentication required');
const EXCHANGE_LINE_TOO_LONG = new Reply(500, '5.5.6', 'Authentication exchange line is too long');
/** The reply to a command line over the limit (RFC 5321 §4.5.3.1.9). */
export const LINE_TOO_LONG = new Reply(500, '5.5.2', 'Line too long');
/** The code of a reply with another address for the recipient (RFC 5321 §3.4). */
const NOT_LOCAL = 551;
const ADDRESS_NEEDS_UTF8 = new Reply(550, '5.6.8', 'User not local; the address to try requires SMTPUTF8');

/** The reply while the clients of this server use all the memory that it allows (RFC 3463 §3.4). */
export const NO_MEMORY = new Reply(452, '4.3.1', 'Insufficient system storage, try again later');
/** The reply to a command that its phase does not allow (RFC 5321 §4.1.4). */
export const OUT_OF_SEQUENCE = new Reply(503, '5.5.1', 'Bad sequence of commands');

const DEFERRED = new Reply(451, '4.3.0', 'Something went wrong here, try again later');
const ANONYMOUS_REFUSED = new Reply(550, '5.7.1', 'Not allowed without authentication');
/** Temporary, because the throttle will let the client in again: a 5xx would bounce the message. */
const THROTTLED = new Reply(451, '4.7.1', 'Too many attempts, try again later');
const BARE_LINE_ENDING = new Reply(500, '5.5.2', 'A line ends with CR and LF');
const LOGIN_DEFERRED = new Reply(454, '4.7.0', 'Temporary authentication failure');

/** The replies to AUTH (RFC 4954 §4, §6). */
export const loginReplies: Readonly<Record<LoginRefusal, Reply>> = {
  'needs-tls': new Reply(538, '5.7.11', 'Encryption required for requested authentication mechanism'),
  'not-offered': new Reply(504, '5.5.4', 'Unrecognised authentication mechanism'),
  cancelled: new Reply(501, '5.7.0', 'Authentication cancelled'),
  malformed: new Reply(501, '5.5.2', 'Malformed authentication response'),
  'too-long': EXCHANGE_LINE_TOO_LONG,
  'unexpected-initial-response': new Reply(501, '5.7.0', 'This mechanism takes no initial response'),
  failed: new Reply(535, '5.7.8', 'Authentication failed'),
  'mechanism-too-weak': new Reply(534, '5.7.9', 'Authentication mechanism is too weak'),
  'transition-needed': new Reply(432, '4.7.12', 'A password transition is needed'),
  'in-use': LOGIN_DEFERRED,
  'no-avatar': LOGIN_DEFERRED,
  throttled: LOGIN_DEFERRED,
  deferred: LOGIN_DEFERRED,
  'too-many-failures': new Reply(421, '4.7.0', 'Too many failed logins'),
};

/** The last replies on connections that this server closes (RFC 5321 §3.8). */
export const closingReplies: Readonly<Record<ClosingReason, Reply>> = {
  'foreign-protocol': FOREIGN.refusal,
  'too-many-errors': new Reply(421, '4.7.0', 'Too many errors'),
  'too-many-commands': new Reply(421, '4.7.0', 'Too many commands that bring no message'),
  timeout: new Reply(421, '4.4.2', 'Took too long, closing the connection'),
  displaced: new Reply(421, '4.3.2', 'Too many connections, try again later'),
  shutdown: new Reply(421, '4.3.2', 'Shutting down, try again later'),
  misconfigured: new Reply(421, '4.3.5', 'System incorrectly configured, closing the connection'),
  failed: new Reply(421, '4.3.0', 'Something went wrong here, closing the connection'),
};
