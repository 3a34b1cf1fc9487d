import { isPromise } from '@postern/core';
import type { Envelope, RecipientResult, ReportResult } from '../delivery.ts';
import { CLOSING } from '../error-replies.ts';
import { Reply } from '../protocol/reply.ts';
import type { MessageSession } from './message-session.ts';

/**
 * LMTP's replies to the end of a message: one for each recipient, in the order of the recipients
 * (RFC 2033 §4.2). A reply is sent as soon as its result and all results before it are known.
 */
export class LmtpReplies {
  readonly #session: MessageSession;
  readonly #messageId: string;
  readonly #recipients: readonly string[];
  readonly #results = new Map<number, RecipientResult>();
  /** The number of replies that are sent. */
  #sent = 0;

  constructor(session: MessageSession, { id, recipients }: Envelope) {
    this.#session = session;
    this.#messageId = id;
    this.#recipients = recipients.map(({ forwardPath }) => forwardPath.toString());
  }

  /** Takes the result of one recipient. Ignores a second result for the same recipient. */
  readonly report: ReportResult = (recipient, result) => {
    if (this.#results.has(recipient)) return;
    this.#results.set(recipient, result);
    this.#sendKnown();
    try {
      const flushed = this.#session.conversation.flush();
      if (isPromise(flushed)) flushed.catch(() => {});
    } catch {
      // The connection broke: the session learns that from its next read or write.
    }
  };

  /**
   * Takes the results of all recipients, and sends the remaining replies. Returns the results that
   * count.
   */
  finish(results: readonly RecipientResult[]): readonly RecipientResult[] {
    for (const recipient of this.#recipients.keys()) {
      if (!this.#results.has(recipient)) this.#results.set(recipient, results[recipient]);
    }
    this.#sendKnown();
    return this.#recipients.map((_, recipient) => this.#results.get(recipient));
  }

  #sendKnown(): void {
    while (this.#sent < this.#recipients.length && this.#results.has(this.#sent)) {
      const recipient = this.#sent++;
      const reply = this.#results.get(recipient) ?? this.#acceptance(recipient);
      this.#session.conversation.say(reply.toString());
      if (reply.code === CLOSING) this.#session.closeReason = 'disconnected';
    }
  }

  #acceptance(recipient: number): Reply {
    return new Reply(250, '2.0.0', `<${this.#recipients[recipient]}> OK ${this.#messageId}`);
  }
}
