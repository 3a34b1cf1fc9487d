import type { MaybePromise } from '@postern/cred';
import { type Envelope, type MailParameters, type Message, MessageDelivery, type RcptParameters } from '../delivery.ts';
import type { ForwardPath, Mailbox, ReversePath } from '../protocol/address.ts';

/** A delivery that asks another one for everything, and disposes of it in the end: what derives from it does one thing otherwise. */
export abstract class ForwardingDelivery extends MessageDelivery implements AsyncDisposable {
  readonly #delivery: MessageDelivery;

  constructor(delivery: MessageDelivery) {
    super();
    this.#delivery = delivery;
    // Only where there is one: the usual field is sooner made by the session.
    if (delivery.receivedHeader !== undefined) this.receivedHeader = (trace) => delivery.receivedHeader?.(trace);
  }

  validateFrom(reversePath: ReversePath, parameters: MailParameters): MaybePromise<void> {
    return this.#delivery.validateFrom(reversePath, parameters);
  }

  validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): MaybePromise<void> {
    return this.#delivery.validateTo(forwardPath, parameters, mail);
  }

  override verify(text: string): MaybePromise<Mailbox | undefined> {
    return this.#delivery.verify?.(text);
  }

  openMessage(envelope: Envelope): MaybePromise<Message> {
    return this.#delivery.openMessage(envelope);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const delivery: MessageDelivery & Partial<AsyncDisposable & Disposable> = this.#delivery;
    if (Symbol.asyncDispose in delivery) await delivery[Symbol.asyncDispose]?.();
    else delivery[Symbol.dispose]?.();
  }
}
