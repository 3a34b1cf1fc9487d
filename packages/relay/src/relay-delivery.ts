import {
  type Envelope,
  type ForwardPath,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  Rejection,
  type ReversePath,
} from '@postern/esmtp';
import { BadMessage, Unsupported } from '@postern/esmtp/client';
import { Enquiry } from './enquiry.ts';
import { HeldMessage } from './held-message.ts';
import { asRejection, passOn, rejectionOf } from './refusals.ts';
import { RelayMessage } from './relay-message.ts';
import type { Smarthost } from './smarthost.ts';
import { Transaction } from './transaction.ts';

/**
 * Hands messages to the next server. It hears of each recipient when our client names it, so that its refusals arrive where they
 * belong. One for each login; the smarthost is for all.
 */
export class RelayDelivery extends MessageDelivery implements Disposable {
  readonly #smarthost: Smarthost;
  #enquiry: Enquiry | undefined;

  constructor(smarthost: Smarthost) {
    super();
    this.#smarthost = smarthost;
  }

  /** Refuses nothing yet: the next server is asked together with the first recipient. */
  validateFrom(reversePath: ReversePath, parameters: MailParameters): void {
    this.#enquiry?.end();
    this.#enquiry = new Enquiry(this.#smarthost, { reversePath, parameters });
  }

  async validateTo(forwardPath: ForwardPath, parameters: RcptParameters): Promise<void> {
    try {
      await this.#enquiry?.ask({ forwardPath, parameters });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async openMessage(envelope: Envelope): Promise<Message> {
    const prepared = this.#enquiry?.end(envelope);
    this.#enquiry = undefined;
    try {
      const transaction = prepared ?? (await this.#begin(envelope));
      if (transaction.missing === undefined) return await this.#open(transaction, envelope);
      transaction.hold();
      return new HeldMessage(transaction.missing, {
        open: () => this.#openHeld(transaction, envelope),
        drop: () => transaction.drop(),
      });
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Gives up what is under way with the next server, short of a message. */
  [Symbol.dispose](): void {
    this.#enquiry?.end();
    this.#enquiry = undefined;
  }

  async #openHeld(transaction: Transaction, envelope: Envelope): Promise<Message> {
    try {
      return await this.#open(transaction, envelope);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Says MAIL and RCPT, and rejects with a Rejection if no recipient is accepted. */
  async #begin(envelope: Envelope, fresh = false): Promise<Transaction> {
    const transaction = await Transaction.begin(this.#smarthost, envelope, envelope.recipients, fresh);
    const refused = transaction.replies.filter((reply) => !reply.positive);
    if (refused.length < envelope.recipients.length) return transaction;
    transaction.drop();
    // If one may come to be accepted later, the client is to try again.
    throw rejectionOf(passOn(refused.find(({ code }) => code < 500) ?? (refused[0] as (typeof refused)[0])));
  }

  /** Says DATA, and begins once more where the connection has broken or was taken away meanwhile. */
  async #open(transaction: Transaction, envelope: Envelope): Promise<Message> {
    const { alive } = transaction;
    try {
      if (alive) return await this.#data(transaction);
    } catch (error) {
      if (error instanceof Rejection) throw error;
    }
    return await this.#data(await this.#begin(envelope, alive));
  }

  async #data(transaction: Transaction): Promise<Message> {
    try {
      const opened = await transaction.data();
      return new RelayMessage(opened, this.#smarthost.host, (error) => this.#explain(error));
    } catch (error) {
      if (error instanceof Rejection) transaction.drop();
      throw error;
    }
  }

  /** As our client shall hear it; what it has no part in is told to the operator. */
  #explain(error: unknown): Rejection {
    if (!(error instanceof Rejection || error instanceof Unsupported || error instanceof BadMessage)) {
      this.#smarthost.tell(error);
    }
    return asRejection(error);
  }
}
