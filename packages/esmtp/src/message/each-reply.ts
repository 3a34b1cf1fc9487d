import { isPromise } from '@postern/core';
import type { Envelope, RecipientResult, ReportResult } from '../delivery.ts';
import { CLOSING } from '../error-replies.ts';
import { Reply } from '../protocol/reply.ts';
import type { MessageSession } from './message-session.ts';

/** LMTP's replies to the end of a message: one for each recipient in their order, each said as soon as those before it are (RFC 2033 §4.2). */
export class EachReply {
  readonly #state: MessageSession;
  readonly #id: string;
  readonly #recipients: readonly string[];
  readonly #results = new Map<number, RecipientResult>();
  #said = 0;

  constructor(state: MessageSession, { id, recipients }: Envelope) {
    this.#state = state;
    this.#id = id;
    this.#recipients = recipients.map(({ forwardPath }) => forwardPath.toString());
  }

  /** What became of the message for one recipient. The first word on each holds. */
  readonly tell: ReportResult = (recipient, result) => {
    if (this.#results.has(recipient)) return;
    this.#results.set(recipient, result);
    this.#sayKnown();
    try {
      const flushed = this.#state.conversation.flush();
      if (isPromise(flushed)) flushed.catch(() => {});
    } catch {
      // The connection broke. Whoever hears or says the next thing finds that out.
    }
  };

  /** All is known, and what is left of it is said. Comes to the results that hold. */
  conclude(known: readonly RecipientResult[]): readonly RecipientResult[] {
    for (const at of this.#recipients.keys()) {
      if (!this.#results.has(at)) this.#results.set(at, known[at]);
    }
    this.#sayKnown();
    return this.#recipients.map((_, at) => this.#results.get(at));
  }

  #sayKnown(): void {
    while (this.#said < this.#recipients.length && this.#results.has(this.#said)) {
      const at = this.#said++;
      const reply = this.#results.get(at) ?? new Reply(250, '2.0.0', `<${this.#recipients[at]}> OK ${this.#id}`);
      this.#state.conversation.say(reply.toString());
      if (reply.code === CLOSING) this.#state.closeReason = 'disconnected';
    }
  }
}
