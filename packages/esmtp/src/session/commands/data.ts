import type { HeardMessage, MessageReceiver } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { OUT_OF_SEQUENCE } from '../../error-replies.ts';
import { BdatMessage } from '../../message/bdat-message.ts';
import type { IncomingMessage } from '../../message/incoming-message.ts';
import { openMessage } from '../../message/open-message.ts';
import { Reply } from '../../protocol/reply.ts';
import { LATER, type ReplyReceiver, type ReplyResult } from '../reply-result.ts';
import type { State } from '../state.ts';

/** DATA (RFC 5321 §4.1.1.4): opens the message, and hears it into the delivery, chunk by chunk. */
export function data(state: State): ReplyResult {
  const { transaction } = state;
  if (transaction?.chunks !== undefined) return refuseBoth(transaction.chunks);
  if (transaction?.parameters.body === 'BINARYMIME') return NEEDS_BDAT;
  const opened = openMessage(state, transaction, 'DATA');
  if (!isPromise(opened)) return new Reception(state, opened, state.replies).begin();
  return opened.then((message) => {
    const later = Promise.withResolvers<Reply | undefined>();
    const reply = new Reception(state, message, later).begin();
    return reply === LATER ? later.promise : reply;
  });
}

/** Hears one message into the delivery, ends it, and passes the reply on. */
class Reception implements MessageReceiver {
  readonly #state: State;
  readonly #message: IncomingMessage;
  readonly #replies: ReplyReceiver;

  constructor(state: State, message: IncomingMessage, replies: ReplyReceiver) {
    this.#state = state;
    this.#message = message;
    this.#replies = replies;
  }

  begin(): ReplyResult {
    const begun = this.#message.begin();
    if (begun === undefined) return this.#hear();
    void begun.then(() => {
      const reply = this.#hear();
      if (reply !== LATER) this.#replies.resolve(reply);
    });
    return LATER;
  }

  take(chunk: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    return this.#message.take(chunk, used);
  }

  heard(facts: HeardMessage): void {
    this.#replies.resolve(this.#end(facts));
  }

  failed(error: unknown): void {
    this.#replies.resolve(this.#abort(error));
  }

  /** Never throws. */
  #hear(): ReplyResult {
    const { conversation, settings } = this.#state;
    conversation.say(GO_AHEAD);
    let facts: HeardMessage | undefined;
    try {
      facts = conversation.receiveMessage(this, settings.newlines === 'normalize');
    } catch (error) {
      return this.#abort(error);
    }
    return facts === undefined ? LATER : this.#end(facts);
  }

  /** Never throws. */
  #end(facts: HeardMessage): MaybePromise<Reply | undefined> {
    // Before the end: a connection that breaks meanwhile must not abort a message that may be kept.
    this.#state.advance();
    try {
      return this.#message.end(facts);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #abort(error: unknown): Promise<never> {
    await this.#message.abortMessage(error as Error);
    throw error;
  }
}

/** Refuses DATA behind BDAT together with the message (RFC 3030 §2). */
async function refuseBoth(chunks: BdatMessage | Reply): Promise<Reply> {
  if (chunks instanceof BdatMessage) await chunks.refuse(OUT_OF_SEQUENCE);
  return OUT_OF_SEQUENCE;
}

const GO_AHEAD = '354 End data with <CR><LF>.<CR><LF>\r\n';
const NEEDS_BDAT = new Reply(503, '5.5.1', 'BODY=BINARYMIME requires BDAT');
