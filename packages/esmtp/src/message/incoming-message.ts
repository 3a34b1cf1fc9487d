import { type HeardMessage, release } from '@postern/conversation';
import { after, isPromise, type MaybePromise, toPromise } from '@postern/core';
import type { EndResult, Envelope, Message, RecipientResult } from '../delivery.ts';
import { NO_MEMORY, replyFor } from '../error-replies.ts';
import type { FailedRecipient, NextHopReply } from '../events.ts';
import { Rejection, Reply } from '../protocol/reply.ts';
import { asDeliveryFailure, DeliveryFailed } from './delivery-failed.ts';
import { HeaderEditor, type MissingFields } from './header-editor.ts';
import { isBlank } from './header-reader.ts';
import { LineLengths } from './line-checks.ts';
import { LmtpReplies } from './lmtp-replies.ts';
import { type MessageSession, reportMessageRefusal } from './message-session.ts';
import { nextHopsOf, recipientResults, summarize } from './results.ts';

/**
 * One message on its way from the client to the delivery. A refusal by the server or the delivery
 * aborts the delivery's message once. The server reads and drops the rest of the client's data, and
 * sends the reply behind it (RFC 5321 §4.1.1.4).
 */
export class IncomingMessage implements MissingFields {
  /** The octets of the `Received:` field with its line end; empty if the delivery wants none. */
  readonly trace: Buffer;
  readonly #session: MessageSession;
  readonly #envelope: Envelope;
  readonly #message: Message;
  readonly #verb: 'DATA' | 'BDAT';
  readonly #header: HeaderEditor;
  readonly #lines: LineLengths | undefined;
  #octets = 0;
  /** The octets of the held header that are charged to the session's memory. */
  #chargedOctets = 0;
  #refusal: Reply | undefined;
  #isRefusalReported = false;

  /** @param trace The octets of the field that goes before the message, with its line end. */
  constructor(session: MessageSession, envelope: Envelope, message: Message, trace: Buffer, verb: 'DATA' | 'BDAT') {
    const { limits, settings } = session;
    this.trace = trace;
    this.#session = session;
    this.#envelope = envelope;
    this.#message = message;
    this.#verb = verb;
    const hasLines = Number.isFinite(limits.maxTextLine) && !this.isBinary;
    this.#lines = hasLines ? new LineLengths(limits.maxTextLine) : undefined;
    this.#header = new HeaderEditor(settings.removeBcc, settings.addMissingHeaders ? this : undefined);
  }

  date(): string {
    return `Date: ${this.#session.settings.dates.format(Date.now())}`;
  }

  messageId(): string {
    return `Message-ID: <${this.#envelope.id}@${this.#session.hostname}>`;
  }

  /** True if the message may hold any octets: its line ends belong to the content (RFC 3030 §3). */
  get isBinary(): boolean {
    return this.#envelope.parameters.body === 'BINARYMIME';
  }

  /** The octets of the client's data so far. */
  get octets(): number {
    return this.#octets;
  }

  /** The reply that refuses the message; undefined while the message is not refused. */
  get refusal(): Reply | undefined {
    return this.#refusal;
  }

  /** Writes the `Received:` field, unless it waits for other fields that the header may lack. */
  begin(): MaybePromise<void> {
    if (this.trace.length > 0 && !this.#header.holdsHeader) return this.#write(this.trace);
  }

  /** Writes the next chunk of the client's data to the delivery. Never throws or rejects. */
  take(chunk: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    if (this.#refusal !== undefined) return;
    const { maxMessageSize, maxReceivedFields } = this.#session.limits;
    const isFirst = this.#octets === 0;
    this.#octets += chunk.length;
    if (this.#octets > maxMessageSize) return this.abortMessage(TOO_LARGE);
    // Before the header: its editor may overwrite the chunk.
    this.#lines?.push(chunk);
    const octets = this.#header.read(chunk);
    if (this.#header.receivedFields >= maxReceivedFields) return this.abortMessage(LOOP);
    if (this.#lines?.isExceeded === true) return this.abortMessage(LONG_LINE);
    if (octets.length === 0) return;
    if (this.#header.holdsHeader) return this.#hold(octets, used);
    // A message that begins with a blank would continue our field (RFC 5322 §2.2.3): an empty line
    // parts them.
    if (isFirst && isBlank(octets[0]) && this.trace.length > 0) return this.#writeBoth(EMPTY_LINE, octets, used);
    return this.#write(octets, used);
  }

  /**
   * Ends the message, behind its last chunk. Returns the reply; undefined in LMTP, where this
   * method sends one reply for each recipient.
   */
  end({ bareLineEndings, octets }: HeardMessage): MaybePromise<Reply | undefined> {
    const { protocol } = this.#session.settings;
    const replies = protocol === 'lmtp' ? new LmtpReplies(this.#session, this.#envelope) : undefined;
    if (bareLineEndings) {
      return this.refuse(BARE_LINE_ENDINGS).then((refusal) => this.#answer(this.#allRefused(refusal), octets, replies));
    }
    if (this.#refusal !== undefined) return this.#endDelivery(octets, replies);
    const rest = this.#header.finish();
    if (rest.length === 0) return this.#endDelivery(octets, replies);
    const written = this.#isUnqualified ? this.abortMessage(UNQUALIFIED) : this.#write(rest);
    return after(written, () => this.#endDelivery(octets, replies));
  }

  /** Refuses the message, unless it is refused already. Resolves to the refusal that counts. */
  async refuse(reason: Reply): Promise<Reply> {
    await this.abortMessage(reason);
    return this.#refuse(this.#refusal ?? reason);
  }

  /** Aborts the delivery's message, unless the message is refused already. Never rejects. */
  async abortMessage(reason: Reply | Error): Promise<void> {
    if (this.#refusal !== undefined) return;
    this.#refusal = reason instanceof Reply ? reason : this.#replyTo(reason);
    const error = reason instanceof Reply ? new Rejection(reason.code, reason.enhanced ?? '', ...reason.lines) : reason;
    try {
      const aborted = this.#message.abort(error);
      if (isPromise(aborted)) await this.#session.inTime(aborted);
    } catch (failure) {
      this.#replyTo(asDeliveryFailure(failure));
    }
  }

  #endDelivery(octets: number, replies: LmtpReplies | undefined): MaybePromise<Reply | undefined> {
    if (this.#refusal !== undefined) return this.#answer(this.#allRefused(this.#refusal), octets, replies);
    let ended: MaybePromise<EndResult>;
    try {
      ended = this.#message.end(replies?.report);
    } catch (error) {
      return this.#fail(asDeliveryFailure(error), octets, replies);
    }
    if (ended === undefined && replies === undefined) return this.#accept(octets, NO_RECIPIENTS, undefined);
    if (!isPromise(ended)) return this.#judge(ended, octets, replies);
    return this.#session.inTime(ended, this.#session.limits.endTimeout).then(
      (result) => this.#judge(result, octets, replies),
      (error: unknown) => this.#fail(error, octets, replies),
    );
  }

  #fail(error: unknown, octets: number, replies: LmtpReplies | undefined): Reply | undefined {
    return this.#answer(this.#allRefused(this.#replyTo(error)), octets, replies);
  }

  #judge(ended: EndResult, octets: number, replies: LmtpReplies | undefined): Reply | undefined {
    let results: readonly RecipientResult[];
    try {
      results = recipientResults(ended, this.#envelope.recipients.length);
    } catch (error) {
      results = this.#allRefused(this.#replyTo(new DeliveryFailed(error)));
    }
    return this.#answer(results, octets, replies);
  }

  /** Holds the octets back until the header is known, and then writes the header and the octets. */
  #hold(octets: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    const before = this.#header.hold(octets);
    if (before === undefined) return this.#chargeHeld(this.#header.bufferOctets);
    if (this.#isUnqualified) return this.abortMessage(UNQUALIFIED);
    return before.length === 0 ? this.#write(octets, used) : this.#writeBoth(before, octets, used);
  }

  #chargeHeld(octets: number): MaybePromise<void> {
    if (octets === this.#chargedOctets) return;
    if (this.#session.reserveForEnvelope(octets - this.#chargedOctets)) this.#chargedOctets = octets;
    else return this.abortMessage(NO_MEMORY);
  }

  #writeBoth(before: Uint8Array, chunk: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    const written = this.#write(before);
    if (written === undefined) return this.#writeUnlessRefused(chunk, used);
    return written.then(() => this.#writeUnlessRefused(chunk, used));
  }

  #writeUnlessRefused(chunk: Uint8Array, used: Uint8Array | undefined): MaybePromise<void> {
    if (this.#refusal === undefined) return this.#write(chunk, used);
  }

  #write(chunk: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    try {
      const written = this.#message.write(chunk);
      if (isPromise(written)) return this.#waitForWrite(written, used);
      if (used !== undefined && this.#message.keepsChunks === false) release(used);
    } catch (error) {
      return this.abortMessage(asDeliveryFailure(error));
    }
  }

  /**
   * Frees the memory once the delivery's own promise settles: after a timeout the delivery may
   * still read it.
   */
  #waitForWrite(written: Promise<void>, used: Uint8Array | undefined): Promise<void> {
    const isReleased = used !== undefined && this.#message.keepsChunks === false;
    const released = isReleased ? toPromise(written).then(() => release(used)) : written;
    return this.#session.inTime(released).catch((error: Error) => this.abortMessage(error));
  }

  /**
   * True if this server adds fields to the header, and an address there has a domain that is not
   * fully qualified: a server that changes a message checks these domains (RFC 6409 §4.2).
   */
  get #isUnqualified(): boolean {
    return this.#session.settings.requireQualifiedDomains && this.#header.hasUnqualifiedDomain;
  }

  #allRefused(reply: Reply): readonly RecipientResult[] {
    return this.#envelope.recipients.map(() => reply);
  }

  #answer(results: readonly RecipientResult[], octets: number, replies: LmtpReplies | undefined): Reply | undefined {
    if (replies !== undefined) return this.#reportLmtp(replies.finish(results), octets);
    const { refusal, acceptance, failed } = summarize(this.#envelope, results, (recipient) =>
      this.#isNotified(recipient),
    );
    return refusal === undefined ? this.#accept(octets, failed, acceptance) : this.#refuse(refusal, failed);
  }

  /** Reports the message once, after LMTP has sent the reply for each recipient. */
  #reportLmtp(results: readonly RecipientResult[], octets: number): undefined {
    const { refusal, failed } = summarize(this.#envelope, results, NOT_NOTIFIED);
    const isRefused = refusal !== undefined && results.every((result) => result?.positive === false);
    if (isRefused) this.#refuse(refusal, failed);
    else this.#accept(octets, failed, undefined);
  }

  /** Counts an error of the delivery as `false`: then the client gets the failure as its reply. */
  #isNotified(recipient: number): boolean {
    try {
      return this.#message.isNotified?.(recipient) === true;
    } catch (error) {
      this.#session.reportError('us', this.#verb, error);
      return false;
    }
  }

  #accept(octets: number, failed: readonly FailedRecipient[], acceptance: Reply | undefined): Reply {
    this.#session.resetJunk();
    if (this.#session.hasListener) this.#reportAccepted(octets, failed, acceptance);
    return acceptance ?? new Reply(250, '2.0.0', `OK ${this.#envelope.id}`);
  }

  #reportAccepted(octets: number, failed: readonly FailedRecipient[], reply: Reply | undefined): void {
    const envelope = this.#envelope;
    const avatarId = this.#session.login?.avatarId;
    const nextHops = this.#nextHops();
    this.#session.report({
      mind: this.#session.mind,
      kind: 'message-accepted',
      envelope,
      avatarId,
      octets,
      failed,
      reply,
      nextHops,
    });
  }

  /** An error of the delivery is reported only: the message is accepted. */
  #nextHops(): readonly NextHopReply[] {
    try {
      return nextHopsOf(this.#message, this.#envelope);
    } catch (error) {
      this.#session.reportError('us', this.#verb, error);
      return [];
    }
  }

  /** Reports the refusal, once for each message. */
  #refuse(reply: Reply, failed: readonly FailedRecipient[] = NO_RECIPIENTS): Reply {
    if (this.#isRefusalReported) this.#session.reportedRefusal = reply;
    else reportMessageRefusal(this.#session, this.#envelope, reply, failed);
    this.#isRefusalReported = true;
    return reply;
  }

  /** Returns the reply to an error, and reports an error that is not a Rejection. */
  #replyTo(error: unknown): Reply {
    if (error instanceof DeliveryFailed) this.#session.reportError('us', this.#verb, error.cause);
    return replyFor(error);
  }
}

const EMPTY_LINE = Buffer.from('\r\n');
const UNQUALIFIED = new Reply(554, '5.6.0', 'The domain of an address in the header is not fully qualified');
/** RFC 1870 §6.2: also for a chunk that would make the message too large. */
export const TOO_LARGE = new Reply(552, '5.3.4', 'Message size exceeds the fixed limit');
const LOOP = new Reply(554, '5.4.6', 'Too many Received fields: the message goes in circles');
const LONG_LINE = new Reply(554, '5.6.0', 'A line of the message is too long');
/**
 * RFC 5321 §2.3.8: the client of such a message may mean another end of the message than this
 * server.
 */
export const BARE_LINE_ENDINGS = new Reply(550, '5.6.11', 'The message has a CR or LF that is not part of a CRLF');
const NO_RECIPIENTS: readonly FailedRecipient[] = [];
/** LMTP has a reply for each recipient. */
const NOT_NOTIFIED = (): boolean => false;
