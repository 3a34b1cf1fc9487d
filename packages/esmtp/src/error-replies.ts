import { BareLineEnding, Closing, Displaced, LineTooLong, PeerGone, TimedOut } from '@postern/conversation';
import { isThrottled, LoginDenied, type LoginError, UnauthorizedLogin, UnhandledCredentials } from '@postern/cred';
import { ExchangeCancelled, type ExchangeError, type Malformation, MalformedResponse } from '@postern/sasl';
import { ownWords } from './login-rejection.ts';
import { Rejection, Reply } from './protocol/reply.ts';

/**
 * The reply to AUTH when it failed (RFC 4954 §4, §6). An unknown user, a wrong password, a closed
 * account and an identity that is not for this user get the same one, unless a checker has words of
 * its own.
 */
export function replyForLogin(error: LoginError | ExchangeError): Reply {
  const own = ownWords(error);
  if (own !== undefined) return own.reply;
  if (error instanceof ExchangeCancelled) return CANCELLED;
  if (error instanceof MalformedResponse) return malformations[error.malformation];
  if (error instanceof UnauthorizedLogin) return FAILED;
  if (error instanceof LoginDenied) return denials[error.reason];
  return error instanceof UnhandledCredentials ? UNKNOWN_MECHANISM : LOGIN_DEFERRED;
}

/**
 * The reply to MAIL from a client that has not authenticated, when the portal does not let it in as
 * a guest.
 */
export function replyForAnonymous(error: LoginError): Reply {
  const own = ownWords(error);
  if (own !== undefined) return own.reply;
  if (error instanceof UnhandledCredentials) return AUTHENTICATION_REQUIRED;
  if (isThrottled(error)) return THROTTLED;
  return error instanceof UnauthorizedLogin || error instanceof LoginDenied ? ANONYMOUS_REFUSED : DEFERRED;
}

/**
 * The reply to whatever a command failed with: a delivery's own one, or a deferral that says
 * nothing of the cause.
 */
export function replyFor(error: unknown): Reply {
  return error instanceof Rejection ? error.reply : DEFERRED;
}

/**
 * A delivery's word on where somebody is now as the client can hear it: the address may have
 * characters that ASCII has not (RFC 6531 §3.7.4.1).
 */
export function inWordsOf(reply: Reply, utf8: boolean): Reply {
  if (reply.code !== NOT_LOCAL || reply.isAscii) return reply;
  return utf8 ? reply.inUtf8() : ADDRESS_UNSAID;
}

/** The reply to a line that cannot be read; undefined if the error is of another kind. */
export function replyForLine(error: unknown): Reply | undefined {
  if (error instanceof LineTooLong) return /^auth /i.test(error.beginning) ? EXCHANGE_LINE_TOO_LONG : LINE_TOO_LONG;
  return error instanceof BareLineEnding ? BARE_LINE_ENDING : undefined;
}

/**
 * The last word to a client with whom the conversation cannot go on; undefined if there is nobody
 * to hear it.
 */
export function closingReply(error: unknown): Reply | undefined {
  if (error instanceof PeerGone) return undefined;
  if (error instanceof TimedOut) return TIMED_OUT;
  if (error instanceof Displaced) return TOO_MANY_CONNECTIONS;
  return error instanceof Closing ? SHUTTING_DOWN : FAILING;
}

/** RFC 5321 §3.8: the code after which the server closes. */
export const CLOSING = 421;

/** RFC 4954 §6: to whatever has to wait for AUTH. */
export const AUTHENTICATION_REQUIRED = new Reply(530, '5.7.0', 'Authentication required');
/** RFC 4954 §4: also for a mechanism that is not offered here. */
export const UNKNOWN_MECHANISM = new Reply(504, '5.5.4', 'Unrecognised authentication mechanism');
const EXCHANGE_LINE_TOO_LONG = new Reply(500, '5.5.6', 'Authentication exchange line is too long');
/** RFC 5321 §4.5.3.1.9. */
export const LINE_TOO_LONG = new Reply(500, '5.5.2', 'Line too long');
/** The last word to who cannot log in. */
export const TOO_MANY_REFUSALS = new Reply(421, '4.7.0', 'Too many failed logins');
/** RFC 5321 §3.4. */
const NOT_LOCAL = 551;
const ADDRESS_UNSAID = new Reply(550, '5.6.8', 'User not local; where to try instead can only be told with SMTPUTF8');

/** RFC 3463 §3.4: the clients of this server hold too much memory. */
export const NO_MEMORY = new Reply(452, '4.3.1', 'Insufficient system storage, try again later');
/** RFC 5321 §4.1.4. */
export const OUT_OF_SEQUENCE = new Reply(503, '5.5.1', 'Bad sequence of commands');

const FAILED = new Reply(535, '5.7.8', 'Authentication failed');
const LOGIN_DEFERRED = new Reply(454, '4.7.0', 'Temporary authentication failure');
const CANCELLED = new Reply(501, '5.7.0', 'Authentication cancelled');
const DEFERRED = new Reply(451, '4.3.0', 'Something went wrong here, try again later');
const ANONYMOUS_REFUSED = new Reply(550, '5.7.1', 'Not allowed without authentication');
/** A denial that ends by itself is no final answer about a message. */
const THROTTLED = new Reply(451, '4.7.1', 'Too many attempts, try again later');
const BARE_LINE_ENDING = new Reply(500, '5.5.2', 'A line ends with CR and LF');
const TIMED_OUT = new Reply(421, '4.4.2', 'Took too long, closing the connection');
const TOO_MANY_CONNECTIONS = new Reply(421, '4.3.2', 'Too many connections, try again later');
const SHUTTING_DOWN = new Reply(421, '4.3.2', 'Shutting down, try again later');
const FAILING = new Reply(421, '4.3.0', 'Something went wrong here, closing the connection');

const BAD_RESPONSE = new Reply(501, '5.5.2', 'Malformed authentication response');
const malformations: Readonly<Record<Malformation, Reply>> = {
  syntax: BAD_RESPONSE,
  encoding: BAD_RESPONSE,
  'line-ending': BAD_RESPONSE,
  'too-long': EXCHANGE_LINE_TOO_LONG,
  'unexpected-initial-response': new Reply(501, '5.7.0', 'This mechanism takes no initial response'),
};

/** RFC 4954 §6. What tells of an account is said only where the user can mend it. */
const denials: Readonly<Record<LoginDenied['reason'], Reply>> = {
  disabled: FAILED,
  expired: FAILED,
  'not-authorized': FAILED,
  policy: FAILED,
  'transition-needed': new Reply(432, '4.7.12', 'A password transition is needed'),
  'mechanism-too-weak': new Reply(534, '5.7.9', 'Authentication mechanism is too weak'),
  'too-many': LOGIN_DEFERRED,
};
