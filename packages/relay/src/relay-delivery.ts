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
      return (prepared && (await this.#continue(prepared))) ?? (await this.#begin(envelope));
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Gives up what is under way with the next server, short of a message. */
  [Symbol.dispose](): void {
    this.#enquiry?.end();
    this.#enquiry = undefined;
  }

  /** Undefined if the connection has broken while our client took its time: then a new one may do. */
  async #continue(transaction: Transaction): Promise<Message | undefined> {
    try {
      return await this.#open(transaction);
    } catch (error) {
      if (error instanceof Rejection) throw error;
      return undefined;
    }
  }

  async #begin(envelope: Envelope): Promise<Message> {
    const transaction = await Transaction.begin(this.#smarthost, envelope, envelope.recipients);
    const refused = transaction.replies.filter((reply) => !reply.positive);
    if (refused.length < envelope.recipients.length) return await this.#open(transaction);
    transaction.drop();
    // If one may come to be accepted later, the client is to try again.
    throw rejectionOf(passOn(refused.find(({ code }) => code < 500) ?? (refused[0] as (typeof refused)[0])));
  }

  async #open(transaction: Transaction): Promise<Message> {
    try {
      const { outgoing, lease } = await transaction.data();
      return new RelayMessage(outgoing, lease, this.#smarthost.host, (error) => this.#explain(error));
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
