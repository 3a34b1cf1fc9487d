import { type HeardMessage, release } from '@postern/conversation';
import { after, isPromise, type MaybePromise } from '@postern/core';
import type { Envelope, Message, RecipientResult } from '../delivery.ts';
import { NO_MEMORY, replyFor } from '../error-replies.ts';
import type { FailedRecipient, NextHopReply } from '../events.ts';
import type { Limits } from '../protocol/limits.ts';
import { Rejection, Reply } from '../protocol/reply.ts';
import { DeliveryFailed } from './delivery-failed.ts';
import { EachReply } from './each-reply.ts';
import { HeaderEditor, type MissingFields } from './header-editor.ts';
import { isBlank } from './header-reader.ts';
import { LineLengths } from './line-checks.ts';
import { type MessageSession, reportMessageRefusal } from './message-session.ts';
import { nextHopsOf } from './next-hops.ts';
import { summarize } from './one-reply.ts';

/**
 * One message on its way from the client into the delivery. Whatever goes wrong, the client's data is heard to its end and the
 * message aborted once: then the reply is ready.
 */
export class IncomingMessage implements MissingFields {
  readonly #state: MessageSession;
  readonly #envelope: Envelope;
  readonly #message: Message;
  readonly #field: string | undefined;
  readonly #during: 'DATA' | 'BDAT';
  readonly #limits: Limits;
  readonly #header: HeaderEditor;
  readonly #lines: LineLengths | undefined;
  #octets = 0;
  /** Octets of the header that are counted as memory. */
  #heldOctets = 0;
  /** Set once the message has been given up. */
  #refusal: Reply | undefined;
  /** True once its refusal has been told of. */
  #told = false;

  /** The field is what is put before the message. */
  constructor(
    state: MessageSession,
    envelope: Envelope,
    message: Message,
    field: string | undefined,
    during: 'DATA' | 'BDAT',
  ) {
    const { limits, settings } = state;
    this.#state = state;
    this.#envelope = envelope;
    this.#message = message;
    this.#field = field;
    this.#during = during;
    this.#limits = limits;
    const inLines = Number.isFinite(limits.maxTextLine) && !this.isBinary;
    this.#lines = inLines ? new LineLengths(limits.maxTextLine) : undefined;
    this.#header = new HeaderEditor(settings.removeBcc, settings.addMissingHeaders ? this : undefined);
  }

  /** What goes before the message: the `Received:` field. */
  get trace(): string {
    return this.#field === undefined ? '' : `${this.#field}\r\n`;
  }

  date(): string {
    return `Date: ${this.#state.settings.dates.format(Date.now())}`;
  }

  messageId(): string {
    return `Message-ID: <${this.#envelope.id}@${this.#state.hostname}>`;
  }

  /** True if the message may hold any octets (RFC 3030 §3): no line ending of it is the transport's. */
  get isBinary(): boolean {
    return this.#envelope.parameters.body === 'BINARYMIME';
  }

  /** Octets of the client's data so far. */
  get octets(): number {
    return this.#octets;
  }

  /** The reply to the message, once it has been given up. */
  get refusal(): Reply | undefined {
    return this.#refusal;
  }

  /** Passes on what is not the client's, unless it goes together with what the header may lack. */
  begin(): MaybePromise<void> {
    if (this.#field !== undefined && !this.#header.holdsHeader) return this.#write(Buffer.from(this.trace));
  }

  /** Passes on the next piece of the client's data; never fails. */
  readonly take = (piece: Uint8Array, used?: Uint8Array): MaybePromise<void> => {
    if (this.#refusal !== undefined) return;
    const isFirst = this.#octets === 0;
    this.#octets += piece.length;
    if (this.#octets > this.#limits.maxMessageSize) return this.abortMessage(TOO_LARGE);
    // The editor may overwrite the piece: lines are measured before.
    this.#lines?.feed(piece);
    const octets = this.#header.read(piece);
    if (this.#header.receivedFields >= this.#limits.maxReceivedFields) return this.abortMessage(LOOP);
    if (this.#lines?.exceeded === true) return this.abortMessage(LONG_LINE);
    if (octets.length === 0) return;
    if (this.#header.holdsHeader) return this.#holdHeader(octets, used);
    // An empty line parts a message that begins with a blank from our own field: it would continue that field.
    if (isFirst && isBlank(octets[0]) && this.#field !== undefined) return this.#writeBoth(EMPTY_LINE, octets, used);
    return this.#write(octets, used);
  };

  /**
   * All has been heard: has the message kept, and comes to the reply. LMTP has one for each recipient, which are said here, so that it
   * comes to nothing.
   */
  end({ bareLineEndings, octets }: HeardMessage): MaybePromise<Reply | undefined> {
    const { protocol } = this.#state.settings;
    const each = protocol === 'lmtp' ? new EachReply(this.#state, this.#envelope) : undefined;
    if (bareLineEndings) {
      return this.refuse(BARE_LINE_ENDINGS).then((refusal) => this.#answer(this.#allRefused(refusal), octets, each));
    }
    if (this.#refusal !== undefined) return this.#keep(octets, each);
    const rest = this.#header.end();
    if (rest.length === 0) return this.#keep(octets, each);
    return after(this.#hasDefect ? this.abortMessage(UNQUALIFIED) : this.#write(rest), () => this.#keep(octets, each));
  }

  #keep(octets: number, each: EachReply | undefined): MaybePromise<Reply | undefined> {
    if (this.#refusal !== undefined) return this.#answer(this.#allRefused(this.#refusal), octets, each);
    try {
      const results = this.#state.ask(() => this.#message.end(each?.tell), this.#limits.endTimeout);
      if (!isPromise(results)) return this.#judge(results, octets, each);
      return results.then(
        (late) => this.#judge(late, octets, each),
        (error: unknown) => this.#answer(this.#allRefused(this.#explain(error)), octets, each),
      );
    } catch (error) {
      return this.#answer(this.#allRefused(this.#explain(error)), octets, each);
    }
  }

  /** Where nobody checks types, what is no list of results is no word that the message is kept. */
  #judge(results: void | readonly RecipientResult[], octets: number, each: EachReply | undefined): Reply | undefined {
    if (results === undefined || Array.isArray(results)) return this.#answer(results ?? [], octets, each);
    const failure = new DeliveryFailed(new TypeError('end came to something that is no list of results'));
    return this.#answer(this.#allRefused(this.#explain(failure)), octets, each);
  }

  /** Refuses the message, unless that has happened already, whatever of it is still to come. Comes to the refusal that holds. */
  async refuse(reason: Reply): Promise<Reply> {
    await this.abortMessage(reason);
    return this.#refuse(this.#refusal ?? reason);
  }

  /** Has the message aborted, if that has not happened yet. Does not fail. */
  async abortMessage(reason: Reply | Error): Promise<void> {
    if (this.#refusal !== undefined) return;
    this.#refusal = reason instanceof Reply ? reason : this.#explain(reason);
    const error = reason instanceof Reply ? new Rejection(reason.code, reason.enhanced ?? '', ...reason.lines) : reason;
    try {
      await this.#state.ask(() => this.#message.abort(error));
    } catch (failure) {
      this.#explain(failure);
    }
  }

  /** Holds the octets back until the header is known, and then passes on the header and the octets. */
  #holdHeader(octets: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    const before = this.#header.hold(octets);
    if (before === undefined) return this.#countHeld(this.#header.bufferOctets);
    if (this.#hasDefect) return this.abortMessage(UNQUALIFIED);
    return before.length === 0 ? this.#write(octets, used) : this.#writeBoth(before, octets, used);
  }

  /** Gives the message up if there is no memory for as much as is held of its header. */
  #countHeld(octets: number): MaybePromise<void> {
    if (octets === this.#heldOctets) return;
    if (this.#state.reserveForEnvelope(octets - this.#heldOctets)) this.#heldOctets = octets;
    else return this.abortMessage(NO_MEMORY);
  }

  #writeBoth(before: Uint8Array, piece: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    return after(this.#write(before), () => {
      if (this.#refusal === undefined) return this.#write(piece, used);
    });
  }

  #write(piece: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    try {
      const written = this.#state.ask(() => this.#hand(piece, used));
      if (isPromise(written)) return written.catch((error: Error) => this.abortMessage(error));
    } catch (error) {
      return this.abortMessage(error as Error);
    }
  }

  /** The delivery itself has to be done with the piece: that we wait no longer, for one, does not mean that. */
  #hand(piece: Uint8Array, used: Uint8Array | undefined): MaybePromise<void> {
    const written = this.#message.write(piece);
    if (used === undefined || this.#message.keepsChunks !== false) return written;
    if (!isPromise(written)) return release(used);
    return written.then(() => release(used));
  }

  /** True if this server changes the header, and an address there has a domain that is not fully qualified (RFC 6409 §4.2). */
  get #hasDefect(): boolean {
    return this.#state.settings.requireQualifiedDomains && this.#header.hasUnqualifiedDomain;
  }

  #allRefused(reply: Reply): readonly RecipientResult[] {
    return this.#envelope.recipients.map(() => reply);
  }

  #answer(known: readonly RecipientResult[], octets: number, each: EachReply | undefined): Reply | undefined {
    if (each !== undefined) return this.#tellEach(each.conclude(known), octets);
    const { refusal, failed } = summarize(this.#envelope, known, (recipient) => this.#isNotified(recipient));
    return refusal === undefined ? this.#accept(octets, failed) : this.#refuse(refusal, failed);
  }

  /** Tells what became of a message of which LMTP has said each recipient's reply. */
  #tellEach(results: readonly RecipientResult[], octets: number): undefined {
    const { refusal, failed } = summarize(this.#envelope, results, NOT_NOTIFIED);
    const isRefused = refusal !== undefined && results.every((result) => result?.positive === false);
    if (isRefused) this.#refuse(refusal, failed);
    else this.#accept(octets, failed);
  }

  /** False if the message cannot tell: then the client hears of the failure. */
  #isNotified(recipient: number): boolean {
    try {
      return this.#message.isNotified?.(recipient) === true;
    } catch (error) {
      this.#state.reportError('us', this.#during, error);
      return false;
    }
  }

  #accept(octets: number, failed: readonly FailedRecipient[]): Reply {
    this.#state.resetJunk();
    if (this.#state.hasListener) this.#tellAccepted(octets, failed);
    return new Reply(250, '2.0.0', `OK ${this.#envelope.id}`);
  }

  #tellAccepted(octets: number, failed: readonly FailedRecipient[]): void {
    const avatarId = this.#state.login?.avatarId;
    const nextHops = this.#nextHops();
    this.#state.report({ kind: 'message-accepted', envelope: this.#envelope, avatarId, octets, failed, nextHops });
  }

  /** The message has been taken, whatever the delivery says of where it went. */
  #nextHops(): readonly NextHopReply[] {
    try {
      return nextHopsOf(this.#message, this.#envelope);
    } catch (error) {
      this.#state.reportError('us', this.#during, error);
      return [];
    }
  }

  /** Tells of the refusal, once. */
  #refuse(reply: Reply, failed: readonly FailedRecipient[] = NONE): Reply {
    if (this.#told) this.#state.reportedRefusal = reply;
    else reportMessageRefusal(this.#state, this.#envelope, reply, failed);
    this.#told = true;
    return reply;
  }

  /** The reply to a failure, which is told of if it is none of the client's. */
  #explain(error: unknown): Reply {
    if (error instanceof DeliveryFailed) this.#state.reportError('us', this.#during, error.cause);
    return replyFor(error);
  }
}

const EMPTY_LINE = Buffer.from('\r\n');
const UNQUALIFIED = new Reply(554, '5.6.0', 'The domain of an address in the header is not fully qualified');
/** RFC 1870 §6.2: also for a chunk that would make the message too large. */
export const TOO_LARGE = new Reply(552, '5.3.4', 'Message size exceeds the fixed limit');
const LOOP = new Reply(554, '5.4.6', 'Too many Received fields: the message goes in circles');
const LONG_LINE = new Reply(554, '5.6.0', 'A line of the message is too long');
/** RFC 5321 §2.3.8: who sends these may mean another end of the message than we do. */
export const BARE_LINE_ENDINGS = new Reply(550, '5.6.11', 'The message has a CR or LF that is not part of a CRLF');
const NONE: readonly FailedRecipient[] = [];
/** LMTP has a reply for each recipient. */
const NOT_NOTIFIED = (): boolean => false;
