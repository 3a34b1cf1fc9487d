import {
  ConversationError,
  type LineError,
  type LineServer,
  LineTooLong,
  type PendingLine,
} from '@postern/conversation';
import { after, isPromise, type MaybePromise } from '@postern/core';
import type { LogoutReason } from '@postern/cred';
import { HostnameFailed, logoutReasonOf } from '@postern/sasl-profile';
import {
  CLOSING,
  closingReplies,
  closingReply,
  inClientCharset,
  LINE_TOO_LONG,
  replyFor,
  replyForLine,
} from '../error-replies.ts';
import { SMALL_CHUNK_OCTETS } from '../message/bdat-message.ts';
import { DeliveryFailed } from '../message/delivery-failed.ts';
import { type ParsedLine, parseCommand } from '../protocol/command.ts';
import { endsGroup } from '../protocol/phases.ts';
import { Rejection, type Reply } from '../protocol/reply.ts';
import { dispatch } from './dispatch.ts';
import { countJunkCommand } from './junk-commands.ts';
import { LATER, type ReplyReceiver, type ReplyResult } from './reply-result.ts';
import { reportRefusal, verbOf } from './report-refusal.ts';
import type { State } from './state.ts';

/** Runs one SMTP or LMTP session, from the greeting until the connection closes. Never rejects. */
export function runSession(state: State): Promise<void> {
  const { conversation, limits } = state;
  conversation.readTimeout = limits.idleTimeout;
  state.restartLifetime();
  if (state.hasListener) state.report({ mind: state.mind, kind: 'connected' });
  // One promise and no async function: their frames would live as long as the connection, and most
  // connections idle.
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = new CommandServer(state, resolve);
  try {
    conversation.say(`220 ${state.greeting}\r\n`);
    conversation.serveLines(server);
  } catch (error) {
    server.failed(error);
  }
  return promise;
}

function end(state: State, reason: LogoutReason, failure: unknown, reply: Reply | undefined): Promise<void> {
  const closed = state.conversation.close();
  const aborted = state.abortMessage(failure instanceof Error ? failure : undefined);
  const loggedOut = after(aborted, () => {
    state.releaseEnvelope();
    return state.logout(reason);
  });
  const ended = loggedOut === undefined ? closed : loggedOut.then(() => closed);
  if (!state.hasListener) return ended;
  return ended.then(() => state.report({ mind: state.mind, kind: 'closed', reason, reply }));
}

/**
 * Parses each line, dispatches its command and sends the reply. Makes no promise while neither the
 * client nor a delivery has to be waited for. Promises for MAIL, RCPT and DATA would cost 2 µs a
 * message: a fifth of the protocol's own time.
 */
class CommandServer implements LineServer, ReplyReceiver {
  readonly maxOctets: number;
  readonly #state: State;
  readonly #onEnd: (ended: Promise<void>) => void;
  /** The command whose reply comes later, and its line of the conversation. */
  #line: ParsedLine | undefined = undefined;
  #pending: PendingLine | undefined = undefined;

  /**
   * `onEnd` gets a promise that resolves when the connection has closed and the client is logged
   * out.
   */
  constructor(state: State, onEnd: (ended: Promise<void>) => void) {
    const { maxCommandLine, maxExchangeLine } = state.limits;
    this.maxOctets = Math.max(maxCommandLine, maxExchangeLine + AUTH_PREFIX_OCTETS);
    this.#state = state;
    state.replies = this;
    this.#onEnd = onEnd;
  }

  ended(): void {
    const state = this.#state;
    this.#onEnd(end(state, state.closeReason ?? 'disconnected', undefined, undefined));
  }

  failed(error: unknown): void {
    const state = this.#state;
    this.#onEnd(end(state, logoutReasonOf(error), error, sayGoodbye(state, error)));
  }

  get interruptible(): boolean {
    return this.#state.transaction === undefined;
  }

  /**
   * Returns false for a client that starts TLS on a port without it. Such a client waits for a TLS
   * record, so the reply leaves at once.
   */
  acceptsFirst(octet: number): boolean {
    if (octet !== TLS_HANDSHAKE) return true;
    const reply = closingReplies['foreign-protocol'];
    this.#state.conversation.say(reply.toString());
    this.#state.report({ mind: this.#state.mind, kind: 'foreign-protocol', protocol: 'TLS', reply });
    return false;
  }

  heard(text: string | LineError, pending: PendingLine): MaybePromise<boolean> | undefined {
    const state = this.#state;
    state.reportedRefusal = undefined;
    if (typeof text !== 'string') return this.#reply(undefined, replyToError(state, undefined, text));
    state.lineOctets = text.length;
    state.next = undefined;
    const line = parseCommand(text, state.settings.tolerance);
    let reply: ReplyResult;
    try {
      reply = isTooLong(text, line, state.limits.maxCommandLine) ? LINE_TOO_LONG : dispatch(state, line);
    } catch (error) {
      return this.#reply(line, replyToError(state, line, error));
    }
    if (reply !== LATER) return this.#replyTo(line, reply);
    this.#line = line;
    this.#pending = pending;
    return undefined;
  }

  /** Sends the reply of a command whose result was {@link LATER}, and continues the hear. */
  resolve(reply: MaybePromise<Reply | undefined>): void {
    const line = this.#line;
    const pending = this.#pending;
    if (line === undefined || pending === undefined) throw new Error('no command waits for its reply');
    this.#line = undefined;
    this.#pending = undefined;
    try {
      const more = this.#replyTo(line, reply);
      if (isPromise(more)) {
        more.then(
          (value) => pending.answer(value),
          (error: unknown) => pending.fail(error),
        );
      } else pending.answer(more);
    } catch (error) {
      pending.fail(error);
    }
  }

  #replyTo(line: ParsedLine, reply: MaybePromise<Reply | undefined>): MaybePromise<boolean> {
    if (isPromise(reply)) return this.#replyLater(line, reply);
    return this.#reply(line, countError(this.#state, line, reply));
  }

  #replyLater(line: ParsedLine, reply: Promise<Reply | undefined>): Promise<boolean> {
    const state = this.#state;
    return reply.then(
      (value) => this.#reply(line, countError(state, line, value)),
      (error: unknown) => this.#reply(line, replyToError(state, line, error)),
    );
  }

  /** Sends the reply, after a delay for a client that has sent too many junk commands. */
  #reply(line: ParsedLine | undefined, reply: Reply | undefined): MaybePromise<boolean> {
    const { conversation, limits } = this.#state;
    const penalty = reply === undefined ? 'none' : countJunkCommand(this.#state, line, reply);
    if (penalty === 'none') return this.#send(line, reply);
    if (penalty === 'disconnect') return this.#send(line, closingReplies['too-many-commands']);
    return conversation.pause(limits.junkCommandDelay).then(() => this.#send(line, reply));
  }

  /** Sends the reply and enters the phase that follows. Returns false if the session ends. */
  #send(line: ParsedLine | undefined, reply: Reply | undefined): MaybePromise<boolean> {
    const state = this.#state;
    const { conversation } = state;
    if (reply !== undefined) {
      if (reply.code === CLOSING) state.closeReason = 'disconnected';
      if (reply.positive) state.advance();
      else reportRefusal(state, line, reply);
      conversation.say(reply.toString());
    }
    if (state.transaction === undefined) {
      if (conversation.standing === 'busy') conversation.standing = 'unauthenticated';
      state.releaseEnvelope();
    }
    if (state.closeReason !== undefined) return false;
    if (line !== undefined && !endsGroup.has(line.verb)) return true;
    const flushed = conversation.flush();
    return flushed === undefined || flushed.then(() => true);
  }
}

/**
 * Returns true for a line over the limit. AUTH has a larger limit of its own, and BDAT another
 * reply.
 */
function isTooLong({ length }: string, { verb }: ParsedLine, maximum: number): boolean {
  return length > maximum && verb !== 'AUTH' && verb !== 'BDAT';
}

/** Counts a reply that reports an error of the client. Returns the reply, or 421 at the limit. */
function countError(state: State, line: ParsedLine | undefined, reply: Reply | undefined): Reply | undefined {
  if (reply === undefined || reply.positive || !ERRORS.has(reply.code)) return reply;
  // Behind a refused chunk more may be on their way (RFC 3030 §2).
  if (line !== undefined && 'octets' in line && line.octets >= SMALL_CHUNK_OCTETS) return reply;
  state.errorCount++;
  return state.errorCount >= state.limits.maxErrors ? closingReplies['too-many-errors'] : reply;
}

/** Returns the reply to a command that failed. Rethrows an error that ends the conversation. */
function replyToError(state: State, line: ParsedLine | undefined, error: unknown): Reply | undefined {
  const unreadable = replyForLine(error);
  if (unreadable !== undefined) {
    // A client that sends bare line endings sees other commands than this server does, and behind
    // an unreadable BDAT come data: what is read as a command here may not be one.
    if (!(error instanceof LineTooLong) || /^bdat/i.test(error.beginning)) state.closeReason = 'disconnected';
    return countError(state, line, unreadable);
  }
  if (error instanceof ConversationError) throw error;
  if (!(error instanceof Rejection || error instanceof HostnameFailed)) {
    const during = line === undefined ? undefined : verbOf(line);
    state.reportError('us', during ?? 'session', error instanceof DeliveryFailed ? error.cause : error);
  }
  return inClientCharset(replyFor(error), acceptsUtf8(state, line));
}

/** Returns true if the client accepts UTF-8 in the reply to this command (RFC 6531 §3.7.4). */
function acceptsUtf8({ transaction }: State, line: ParsedLine | undefined): boolean {
  if (line !== undefined && 'smtpUtf8' in line) return line.smtpUtf8;
  return transaction?.parameters.smtpUtf8 === true;
}

/** Sends the last reply to a client that is still connected, and returns that reply. */
function sayGoodbye(state: State, error: unknown): Reply | undefined {
  const reply = error instanceof Rejection ? error.reply : closingReply(error);
  if (reply !== undefined) state.conversation.say(reply.toString());
  if (!(error instanceof ConversationError || error instanceof Rejection || error instanceof HostnameFailed)) {
    state.reportError('us', 'session', error);
  }
  return reply;
}

/** The first octet of a TLS record that holds a ClientHello (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;
/** `AUTH `, a mechanism and a few spaces. */
const AUTH_PREFIX_OCTETS = 40;
/** The codes of replies to unknown, misplaced and malformed commands. */
const ERRORS: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 530, 538, 555]);
