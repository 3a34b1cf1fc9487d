import type { MaybePromise } from '@postern/core';
import {
  checkDelivery,
  type Envelope,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
} from '../delivery.ts';
import type { ForwardPath, Mailbox, ReversePath } from '../protocol/address.ts';

/**
 * A delivery that forwards each call to another delivery, and disposes of that delivery at the end.
 * A subclass overrides the methods that it changes.
 *
 * @example
 * ```ts
 * import { ForwardingDelivery, Rejection } from '@postern/esmtp';
 * import type { MailParameters, ReversePath } from '@postern/esmtp';
 *
 * class DomainDelivery extends ForwardingDelivery {
 *   override validateFrom(reversePath: ReversePath, parameters: MailParameters) {
 *     if (reversePath?.domain !== 'example.com') throw new Rejection(553, '5.7.1', 'Not a sender of ours');
 *     return super.validateFrom(reversePath, parameters);
 *   }
 * }
 * ```
 */
export abstract class ForwardingDelivery extends MessageDelivery implements AsyncDisposable {
  readonly #delivery: MessageDelivery;

  /** @throws TypeError for an object that is not of a class that extends `MessageDelivery`. */
  constructor(delivery: MessageDelivery) {
    super();
    checkDelivery(delivery, 'delivery');
    this.#delivery = delivery;
    // Not a method: without a receivedHeader of the delivery, the session makes the field faster.
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
