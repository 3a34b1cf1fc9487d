import { type Envelope, type Recipient, Rejection, type Reply } from '@postern/esmtp';
import { passOn, rejectionOf } from './refusals.ts';
import type { Sender } from './sender.ts';
import { type Acquire, Transaction } from './transaction.ts';

/** Asks the next server about each recipient while our client still names them, in the transaction that the message then goes by. */
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

  /** Rejects with a Rejection if the next server refuses the recipient, or the sender. */
  async ask(recipient: Recipient): Promise<void> {
    // Whoever does not wait for the answer, or shares the delivery with others, does without.
    if (this.#busy || this.#over) return;
    this.#busy = true;
    try {
      const refused = await this.#verdict(recipient);
      if (refused !== undefined) throw rejectionOf(passOn(refused));
    } finally {
      this.#busy = false;
      if (this.#over) this.#transaction?.drop();
      else {
        this.#transaction?.forgetRefused();
        this.#transaction?.hold();
      }
    }
  }

  /** The transaction, if it is the envelope's; else it is given up. */
  end(envelope?: Envelope): Transaction | undefined {
    const transaction = this.#transaction;
    this.#over = true;
    if (this.#busy || transaction === undefined) return undefined;
    if (transaction.alive && envelope !== undefined && transaction.matches(envelope)) return transaction;
    transaction.drop();
    return undefined;
  }

  /**
   * Resolves to the refusal, if it is one. In place of a transaction that broke or was taken away a new
   * one asks about this recipient alone: with the others in it a client could make the next server
   * answer about each recipient again and again. The whole envelope is said after the data.
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
