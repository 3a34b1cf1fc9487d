import { type Envelope, type Recipient, Rejection, type Reply } from '@postern/esmtp';
import { rejectionOf, replyForClient } from './next-server-replies.ts';
import type { Sender } from './sender.ts';
import { type Acquire, Transaction } from './transaction.ts';

/**
 * Asks the next server about each recipient at RCPT, in the transaction that later sends the
 * message.
 */
export class RecipientCallout {
  readonly #acquire: Acquire;
  readonly #sender: Sender;
  #transaction: Transaction | undefined;
  #busy = false;
  #over = false;

  constructor(acquire: Acquire, sender: Sender) {
    this.#acquire = acquire;
    this.#sender = sender;
  }

  /** @throws Rejection if the next server refuses the recipient or the sender. */
  async ask(recipient: Recipient): Promise<void> {
    // A caller that does not wait for the reply, or shares the delivery, gets no callout.
    if (this.#busy || this.#over) return;
    this.#busy = true;
    try {
      const refused = await this.#verdict(recipient);
      if (refused !== undefined) throw rejectionOf(replyForClient(refused));
    } finally {
      this.#busy = false;
      if (this.#over) this.#transaction?.drop();
      else {
        this.#transaction?.forgetRefused();
        this.#transaction?.hold();
      }
    }
  }

  /** Ends the callout. Returns the transaction if it belongs to the envelope, else drops it. */
  end(envelope?: Envelope): Transaction | undefined {
    const transaction = this.#transaction;
    this.#over = true;
    if (this.#busy || transaction === undefined) return undefined;
    if (transaction.alive && envelope !== undefined && transaction.matches(envelope)) return transaction;
    transaction.drop();
    return undefined;
  }

  /**
   * Resolves to the refusal; undefined if the next server accepts the recipient. After a broken or
   * reclaimed transaction a new one asks about this recipient alone. With all recipients a client
   * could make the next server answer about each recipient again and again. The whole envelope is
   * sent after the data.
   */
  async #verdict(recipient: Recipient): Promise<Reply | undefined> {
    const transaction = this.#transaction;
    if (transaction?.alive) {
      try {
        await transaction.add(recipient);
        return undefined;
      } catch (error) {
        if (error instanceof Rejection) throw error;
      }
    }
    this.#transaction = await Transaction.begin(this.#acquire, this.#sender, [recipient]);
    const reply = this.#transaction.replies.at(-1);
    return reply?.positive ? undefined : reply;
  }
}
