import { LineNormalizer } from '@postern/conversation';
import type { MaybePromise } from '@postern/core';
import { Reply } from '../protocol/reply.ts';
import { BARE_LINE_ENDINGS, type IncomingMessage, TOO_LARGE } from './incoming-message.ts';
import { LineEndings } from './line-checks.ts';
import type { MessageSession } from './message-session.ts';

/** A message that comes in chunks (RFC 3030 §2). Once it is refused, so is every chunk that is still on its way. */
export class BdatMessage {
  readonly #state: MessageSession;
  readonly #intake: IncomingMessage;
  /** Undefined where the message may hold anything. */
  readonly #lineEndings: LineEndings | undefined;
  /** Undefined where bare line endings are refused, or belong to the message. */
  readonly #normalizer: LineNormalizer | undefined;
  #smallChunks = 0;

  constructor(state: MessageSession, intake: IncomingMessage) {
    this.#state = state;
    this.#intake = intake;
    const { isBinary } = intake;
    this.#lineEndings = isBinary ? undefined : new LineEndings();
    this.#normalizer = !isBinary && state.settings.newlines === 'normalize' ? new LineNormalizer() : undefined;
  }

  /** Hears a chunk to its last octet, even if the message is refused. Rejects only if the conversation breaks. */
  async hear(octets: number): Promise<void> {
    const { conversation, limits } = this.#state;
    // What cannot be taken to its end is no work for the delivery.
    if (this.#intake.octets + octets > limits.maxMessageSize) await this.#intake.abortMessage(TOO_LARGE);
    await conversation.hearBytes(octets, this.#take);
  }

  /** Returns the reply to a chunk that has been heard and is not the last one. */
  async acknowledge(octets: number): Promise<Reply> {
    if (octets < SMALL_CHUNK_OCTETS && ++this.#smallChunks > this.#state.limits.maxSmallChunks) return TOO_MANY_CHUNKS;
    const refusal = this.#intake.refusal ?? (this.#hasBareLineEndings ? BARE_LINE_ENDINGS : undefined);
    if (refusal !== undefined) return await this.#intake.refuse(refusal);
    return new Reply(250, '2.0.0', `${octets} octets received`);
  }

  /** Ends the message behind its last chunk. Returns the reply; undefined in LMTP, where `end` has said the replies. */
  async end(): Promise<Reply | undefined> {
    this.#lineEndings?.end();
    const rest = this.#normalizer?.end();
    if (rest !== undefined && rest.length > 0) await this.#intake.take(rest);
    return await this.#intake.end({ octets: this.#intake.octets, bareLineEndings: this.#hasBareLineEndings });
  }

  /** Refuses the message, if that has not happened yet. */
  async refuse(reply: Reply): Promise<void> {
    await this.#intake.refuse(reply);
  }

  /** Has the message aborted, if that has not happened yet. Does not fail. */
  async abortMessage(reason: Error): Promise<void> {
    await this.#intake.abortMessage(reason);
  }

  readonly #take = (piece: Uint8Array, used?: Uint8Array): MaybePromise<void> => {
    const bare = this.#lineEndings?.feed(piece) === true;
    return this.#intake.take(this.#normalizer?.push(piece, bare) ?? piece, used);
  };

  /** True if the message has bare line endings, and is passed on as it came. */
  get #hasBareLineEndings(): boolean {
    return this.#lineEndings?.bare === true && this.#normalizer === undefined;
  }
}

/** Chunks of fewer octets cost more than they bring, and are counted. */
export const SMALL_CHUNK_OCTETS = 1024;

const TOO_MANY_CHUNKS = new Reply(421, '4.7.0', 'Too many small chunks');
