import { LineNormalizer } from '@postern/conversation';
import type { MaybePromise } from '@postern/core';
import { Reply } from '../protocol/reply.ts';
import { BARE_LINE_ENDINGS, type IncomingMessage, TOO_LARGE } from './incoming-message.ts';
import { LineEndings } from './line-checks.ts';
import type { MessageSession } from './message-session.ts';

/**
 * A message that arrives in the chunks of BDAT (RFC 3030 §2). After the first refusal, each later
 * chunk of the message gets the same reply.
 */
export class BdatMessage {
  readonly #session: MessageSession;
  readonly #message: IncomingMessage;
  /** Undefined for a BINARYMIME message, which may hold any octets. */
  readonly #lineEndings: LineEndings | undefined;
  /** Undefined if bare line endings are refused, or belong to the content. */
  readonly #normalizer: LineNormalizer | undefined;
  #smallChunkCount = 0;

  constructor(session: MessageSession, message: IncomingMessage) {
    this.#session = session;
    this.#message = message;
    const { isBinary } = message;
    this.#lineEndings = isBinary ? undefined : new LineEndings();
    this.#normalizer = !isBinary && session.settings.newlines === 'normalize' ? new LineNormalizer() : undefined;
  }

  /**
   * Reads a chunk to its last octet, even if the message is refused. Rejects only if the
   * conversation breaks.
   */
  async hear(octets: number): Promise<void> {
    const { conversation, limits } = this.#session;
    // The delivery gets no part of a chunk that would make the message too large.
    if (this.#message.octets + octets > limits.maxMessageSize) await this.#message.abortMessage(TOO_LARGE);
    await conversation.hearBytes(octets, this.#take);
  }

  /** Returns the reply to a chunk that is read and is not the last chunk. */
  async acknowledge(octets: number): Promise<Reply> {
    if (octets < SMALL_CHUNK_OCTETS && ++this.#smallChunkCount > this.#session.limits.maxSmallChunks)
      return TOO_MANY_CHUNKS;
    const refusal = this.#message.refusal ?? (this.#refusesLineEndings ? BARE_LINE_ENDINGS : undefined);
    if (refusal !== undefined) return await this.#message.refuse(refusal);
    return new Reply(250, '2.0.0', `${octets} octets received`);
  }

  /**
   * Ends the message behind its last chunk. Resolves to the reply; to undefined in LMTP, where
   * `end` has sent the replies.
   */
  async end(): Promise<Reply | undefined> {
    this.#lineEndings?.end();
    const rest = this.#normalizer?.end();
    if (rest !== undefined && rest.length > 0) await this.#message.take(rest);
    return await this.#message.end({ octets: this.#message.octets, bareLineEndings: this.#refusesLineEndings });
  }

  /** Refuses the message, unless it is refused already. */
  async refuse(reply: Reply): Promise<void> {
    await this.#message.refuse(reply);
  }

  /** Aborts the delivery's message, unless the message is refused already. Never rejects. */
  async abortMessage(reason: Error): Promise<void> {
    await this.#message.abortMessage(reason);
  }

  readonly #take = (chunk: Uint8Array, used?: Uint8Array): MaybePromise<void> => {
    const hasBare = this.#lineEndings?.push(chunk) === true;
    return this.#message.take(this.#normalizer?.push(chunk, hasBare) ?? chunk, used);
  };

  /** True if the message has a bare CR or LF and is not normalized. */
  get #refusesLineEndings(): boolean {
    return this.#lineEndings?.hasBare === true && this.#normalizer === undefined;
  }
}

/** A smaller chunk costs more than it is worth: such chunks are counted. */
export const SMALL_CHUNK_OCTETS = 1024;

const TOO_MANY_CHUNKS = new Reply(421, '4.7.0', 'Too many small chunks');
