import {
  Closing,
  ConversationError,
  type LineError,
  type LineListener,
  LineTooLong,
  TimedOut,
} from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { LogoutReason } from '@postern/cred';
import {
  AUTHENTICATION_REQUIRED,
  CLOSING,
  closingReply,
  inWordsOf,
  LINE_TOO_LONG,
  OUT_OF_SEQUENCE,
  replyFor,
  replyForLine,
} from '../error-replies.ts';
import { SMALL_CHUNK } from '../message/bdat-message.ts';
import { DeliveryFailed } from '../message/delivery-failed.ts';
import { type Command, type Malformed, type NoCommand, parseCommand, type Verb } from '../protocol/command.ts';
import { beforeAuthentication, beforeTls, endsGroup } from '../protocol/phases.ts';
import { Rejection, Reply } from '../protocol/reply.ts';
import { auth } from './commands/auth.ts';
import { bdat } from './commands/bdat.ts';
import { data } from './commands/data.ts';
import { ehlo, helo } from './commands/ehlo.ts';
import { mail } from './commands/mail.ts';
import { rcpt } from './commands/rcpt.ts';
import { help, noop, quit, rset } from './commands/simple.ts';
import { starttls } from './commands/starttls.ts';
import { vrfy } from './commands/vrfy.ts';
import { xclient } from './commands/xclient.ts';
import { countJunk } from './junk-commands.ts';
import { reportRefusal } from './report-refusal.ts';
import type { State } from './state.ts';

/** Leads a session from the greeting to the end. Never fails. */
export function runSession(state: State): Promise<void> {
  const { conversation, settings, limits } = state;
  conversation.readTimeout = limits.idleTimeout;
  state.limitLife();
  if (state.isHeard) state.tell({ kind: 'connected' });
  conversation.say(`220 ${settings.hostname} ${settings.protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}\r\n`);
  // Not an async function: its frame would be kept for as long as the connection, and most connections are idle.
  return conversation.hearLines(new Commands(state)).then(
    () => end(state, state.closeReason ?? 'disconnected', undefined, undefined),
    (error: unknown) => end(state, reasonOf(error), error, sayGoodbye(state, error)),
  );
}

async function end(state: State, reason: LogoutReason, failure: unknown, reply: Reply | undefined): Promise<void> {
  const closed = state.conversation.close();
  const takenBack = state.abortMessage(failure instanceof Error ? failure : undefined);
  if (takenBack !== undefined) await takenBack;
  state.releaseEnvelope();
  const loggedOut = state.logout(reason);
  if (loggedOut !== undefined) await loggedOut;
  await closed;
  if (state.isHeard) state.tell({ kind: 'closed', reason, reply });
}

/** Hears a command, runs it, says the reply, and again. Stays synchronous as long as everything is there. */
class Commands implements LineListener {
  readonly maxOctets: number;
  readonly #state: State;

  constructor(state: State) {
    const { maxCommandLine, maxExchangeLine } = state.limits;
    this.maxOctets = Math.max(maxCommandLine, maxExchangeLine + AUTH_PREFIX);
    this.#state = state;
  }

  get interruptible(): boolean {
    return this.#state.transaction === undefined;
  }

  /** A client that starts TLS where there is none yet would wait in vain for a line: it is told at once that this is SMTP. */
  acceptsFirst(octet: number): boolean {
    if (octet !== TLS_HANDSHAKE) return true;
    this.#state.conversation.say(FOREIGN.toString());
    this.#state.tell({ kind: 'foreign-protocol', protocol: 'TLS', reply: FOREIGN });
    return false;
  }

  heard(line: string | LineError): MaybePromise<boolean> {
    const state = this.#state;
    state.told = undefined;
    if (typeof line !== 'string') return this.#say(undefined, replyToError(state, undefined, line));
    state.lineOctets = line.length;
    const said = parseCommand(line, state.settings.tolerance);
    let answer: MaybePromise<Reply | undefined>;
    try {
      answer = isTooLong(line, said, state.limits.maxCommandLine) ? LINE_TOO_LONG : respond(state, said);
    } catch (error) {
      return this.#say(said, replyToError(state, said, error));
    }
    return isPromise(answer) ? this.#sayLater(said, answer) : this.#say(said, countError(state, said, answer));
  }

  #sayLater(said: Said, answer: Promise<Reply | undefined>): Promise<boolean> {
    const state = this.#state;
    return answer.then(
      (reply) => this.#say(said, countError(state, said, reply)),
      (error: unknown) => this.#say(said, replyToError(state, said, error)),
    );
  }

  /** Says the reply; later, if the client has sent too many commands that bring no message. */
  #say(said: Said | undefined, reply: Reply | undefined): MaybePromise<boolean> {
    const { conversation, limits } = this.#state;
    const penalty = reply === undefined ? 'none' : countJunk(this.#state, said, reply);
    if (penalty === 'none') return this.#answer(said, reply);
    if (penalty === 'disconnect') return this.#answer(said, TOO_MUCH_JUNK);
    return conversation.pause(limits.junkCommandDelay).then(() => this.#answer(said, reply));
  }

  /** Says the reply, and goes where it leads. */
  #answer(said: Said | undefined, reply: Reply | undefined): MaybePromise<boolean> {
    const state = this.#state;
    if (reply !== undefined) {
      if (reply.code === CLOSING) state.closeReason = 'disconnected';
      if (!reply.positive) reportRefusal(state, said, reply);
      else state.enterPhase(state.settings.phases[state.phase][said?.verb as Verb] ?? 'same');
      state.conversation.say(reply.toString());
    }
    if (state.conversation.standing === 'busy' && state.transaction === undefined) {
      state.conversation.standing = 'unauthenticated';
    }
    if (state.transaction === undefined) state.releaseEnvelope();
    if (state.closeReason !== undefined) return false;
    if (said !== undefined && !endsGroup.has(said.verb)) return true;
    const flushed = state.conversation.flush();
    return flushed === undefined || flushed.then(() => true);
  }
}

type Said = Command | Malformed | NoCommand;

/** The responses of AUTH may be longer; and a line of BDAT that is gets another answer. */
function isTooLong({ length }: string, { verb }: Said, maximum: number): boolean {
  return length > maximum && verb !== 'AUTH' && verb !== 'BDAT';
}

/** Whether the command may come now, whether it is one, and then what it comes to; undefined if it has said its reply itself. */
function respond(state: State, said: Said): MaybePromise<Reply | undefined> {
  switch (said.verb) {
    case 'unrecognised':
      return UNRECOGNISED;
    case 'unimplemented':
      return UNIMPLEMENTED;
    case 'foreign':
      state.closeReason = 'disconnected';
      state.tell({ kind: 'foreign-protocol', protocol: 'HTTP', reply: FOREIGN });
      return FOREIGN;
    case 'BDAT':
      if (!('malformed' in said)) return bdat(state, said, refuseNow(state, said.verb));
      state.closeReason = 'disconnected';
      return said.malformed;
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      // The other protocol's (RFC 2033 §4.1).
      if (state.settings.phases.start[said.verb] === undefined) return UNRECOGNISED;
      return respondNow(state, said);
    default:
      return respondNow(state, said);
  }
}

function respondNow(
  state: State,
  said: Exclude<Command, { verb: 'BDAT' }> | Malformed,
): MaybePromise<Reply | undefined> {
  return refuseNow(state, said.verb) ?? ('malformed' in said ? said.malformed : run(state, said));
}

/** Why the command may not come now, if it may not. */
function refuseNow(state: State, verb: Verb): Reply | undefined {
  const { phase, settings } = state;
  const comesNow = settings.phases[phase][verb] !== undefined;
  if (!comesNow && phase === 'start') return settings.protocol === 'lmtp' ? LHLO_FIRST : EHLO_FIRST;
  if (state.needsTls && !beforeTls.has(verb)) return TLS_REQUIRED;
  if (state.needsAuthentication && !beforeAuthentication.has(verb)) return AUTHENTICATION_REQUIRED;
  return comesNow ? undefined : OUT_OF_SEQUENCE;
}

function run(state: State, command: Exclude<Command, { verb: 'BDAT' }>): MaybePromise<Reply | undefined> {
  switch (command.verb) {
    case 'EHLO':
    case 'LHLO':
      return ehlo(state, command);
    case 'HELO':
      return helo(state, command);
    case 'AUTH':
      return auth(state, command);
    case 'STARTTLS':
      return starttls(state);
    case 'XCLIENT':
      return xclient(state, command);
    case 'MAIL':
      return mail(state, command);
    case 'RCPT':
      return rcpt(state, command);
    case 'DATA':
      return data(state);
    case 'RSET':
      return rset(state);
    case 'NOOP':
      return noop();
    case 'VRFY':
      return vrfy(state, command);
    case 'HELP':
      return help(state);
    case 'QUIT':
      return quit(state);
  }
}

/** Counts what was no command; the one too many gets the last reply. */
function countError(state: State, said: Said | undefined, reply: Reply | undefined): Reply | undefined {
  if (reply === undefined || reply.positive || !ERRORS.has(reply.code)) return reply;
  // When the first chunk is refused, the others may be on their way (RFC 3030 §2).
  if (said !== undefined && 'octets' in said && said.octets >= SMALL_CHUNK) return reply;
  state.errors++;
  return state.errors >= state.limits.maxErrors ? TOO_MANY_ERRORS : reply;
}

/** The reply to what went wrong with one command. Throws what the conversation does not survive. */
function replyToError(state: State, said: Said | undefined, error: unknown): Reply | undefined {
  const unreadable = replyForLine(error);
  if (unreadable !== undefined) {
    // Who sends bare line endings sees other commands than we do; what is a command here may be data there, as it is behind BDAT.
    if (!(error instanceof LineTooLong) || /^bdat/i.test(error.beginning)) state.closeReason = 'disconnected';
    return countError(state, said, unreadable);
  }
  if (error instanceof ConversationError) throw error;
  if (!(error instanceof Rejection)) {
    state.reportError(
      'us',
      (said?.verb as Verb | undefined) ?? 'session',
      error instanceof DeliveryFailed ? error.cause : error,
    );
  }
  return inWordsOf(replyFor(error), hearsUtf8(state, said));
}

/** Whether the client takes UTF-8 in the reply to this command (RFC 6531 §3.7.4). */
function hearsUtf8({ transaction }: State, said: Said | undefined): boolean {
  if (said !== undefined && 'smtpUtf8' in said) return said.smtpUtf8;
  return transaction?.parameters.smtpUtf8 === true;
}

/** Says the last word, if there is somebody to hear it, and returns it. */
function sayGoodbye(state: State, error: unknown): Reply | undefined {
  const reply = closingReply(error);
  if (reply !== undefined) state.conversation.say(reply.toString());
  if (!(error instanceof ConversationError)) state.reportError('us', 'session', error);
  return reply;
}

function reasonOf(error: unknown): LogoutReason {
  if (error instanceof TimedOut) return 'timeout';
  return error instanceof Closing ? 'shutdown' : 'disconnected';
}

/** The first octet of a TLS record that holds a ClientHello (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;
/** `AUTH `, the name of a mechanism, and some blanks. */
const AUTH_PREFIX = 40;
/** The codes that say that the client's command was none, or not at this time. */
const ERRORS: ReadonlySet<number> = new Set([500, 501, 502, 503, 504, 530, 538, 555]);

const EHLO_FIRST = new Reply(503, '5.5.1', 'Send EHLO first');
const LHLO_FIRST = new Reply(503, '5.5.1', 'Send LHLO first');
const TLS_REQUIRED = new Reply(530, '5.7.0', 'Must issue a STARTTLS command first');
const UNRECOGNISED = new Reply(500, '5.5.1', 'Command not recognised');
const UNIMPLEMENTED = new Reply(502, '5.5.1', 'Command not implemented');
const FOREIGN = new Reply(502, '5.5.1', 'This is SMTP');
const TOO_MUCH_JUNK = new Reply(421, '4.7.0', 'Too many commands that bring no message');
const TOO_MANY_ERRORS = new Reply(421, '4.7.0', 'Too many errors');
