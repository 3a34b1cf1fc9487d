import { Rejection, Reply } from '@postern/esmtp';
import { BadMessage, SmtpReplyError, UnsupportedExtension } from '@postern/esmtp/client';
import { SaslError } from '@postern/sasl/client';
import { Congested, SpoolFailed, SpoolFull, Unreachable } from './errors.ts';

/**
 * Returns the reply for the client: the next server's code, enhanced code and text, without replies
 * about the connection.
 */
export function replyForClient({ code, enhanced, lines }: Reply): Reply {
  if (code === CLOSING) return new Reply(451, enhanced ?? '4.4.2', ...lines.slice(0, MAX_REPLY_LINES));
  if (LOGIN_CODES.has(code)) return MISCONFIGURED;
  return new Reply(code, enhanced ?? `${Math.floor(code / 100)}.0.0`, ...lines.slice(0, MAX_REPLY_LINES));
}

/**
 * Returns true for a reply about the connection, which says nothing about a message or an address.
 */
export function isConnectionReply({ code }: Reply): boolean {
  return code === CLOSING || LOGIN_CODES.has(code) || (code >= 300 && code < 400);
}

/** Returns the Rejection with this reply. */
export function rejectionOf(reply: Reply, cause?: unknown): Rejection {
  const rejection = new Rejection(reply.code, reply.enhanced ?? '', ...reply.lines);
  if (cause !== undefined) rejection.cause = cause;
  return rejection;
}

/** Returns the Rejection for an error of the relay, which becomes its `cause`. */
export function rejectionFor(error: unknown): Rejection {
  return error instanceof Rejection ? error : rejectionOf(replyTo(error), error);
}

function replyTo(error: unknown): Reply {
  if (error instanceof UnsupportedExtension) return replyForMissing.get(error.extension) ?? CONVERSION;
  if (error instanceof BadMessage) return INVALID_CHARACTERS;
  if (error instanceof SmtpReplyError && !error.reply.positive) return replyForClient(error.reply);
  if (error instanceof Congested) return CONGESTED;
  if (error instanceof SpoolFull) return NO_ROOM;
  if (error instanceof SpoolFailed) return NOT_STORED;
  if (!(error instanceof Unreachable)) return BROKEN;
  return error.cause instanceof SaslError ? MISCONFIGURED : UNREACHABLE;
}

const CLOSING = 421;
/**
 * The codes about the relay's own login (RFC 4954 §6). The client has logged in already, at this
 * server.
 */
const LOGIN_CODES: ReadonlySet<number> = new Set([432, 454, 530, 534, 535, 538]);
/** The most lines of a reply that are passed on. */
const MAX_REPLY_LINES = 10;

const UNREACHABLE = new Reply(451, '4.4.1', 'The next server does not answer now');
const BROKEN = new Reply(451, '4.4.2', 'The connection to the next server broke');
const CONGESTED = new Reply(451, '4.4.5', 'Too many messages are on their way to the next server');
const NO_ROOM = new Reply(452, '4.3.1', 'Not enough room for the message');
const NOT_STORED = new Reply(451, '4.3.0', 'The message cannot be stored now');
const MISCONFIGURED = new Reply(451, '4.3.5', 'The next server does not let this one in');
const INVALID_CHARACTERS = new Reply(550, '5.6.11', 'The message has a NUL, or a CR or LF that is not part of a CRLF');
export const CONVERSION = new Reply(554, '5.6.3', 'The next server cannot take this kind of message');
export const replyForMissing: ReadonlyMap<string, Reply> = new Map([
  ['SMTPUTF8', new Reply(550, '5.6.7', 'The next server does not know SMTPUTF8')],
  // RFC 8689 §4.2.1.
  ['REQUIRETLS', new Reply(550, '5.7.30', 'REQUIRETLS support required: the next server has none')],
  ['STARTTLS', new Reply(550, '5.7.10', 'Encryption needed: no verified TLS to the next server')],
]);
