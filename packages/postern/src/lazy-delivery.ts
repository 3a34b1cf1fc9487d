import type { MaybePromise } from '@postern/cred';
import {
  type Envelope,
  type ForwardPath,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  type ReversePath,
} from '@postern/esmtp';
import { disposeOf } from './delivery-target.ts';

/**
 * Creates a delivery at its first use. A delivery of notifications that cannot be created must not
 * refuse logins and messages.
 */
export class LazyDelivery extends MessageDelivery implements AsyncDisposable {
  readonly #create: () => MaybePromise<MessageDelivery>;
  #created: Promise<MessageDelivery> | undefined;

  constructor(create: () => MaybePromise<MessageDelivery>) {
    super();
    this.#create = create;
  }

  async validateFrom(reversePath: ReversePath, parameters: MailParameters): Promise<void> {
    await (await this.#delivery()).validateFrom(reversePath, parameters);
  }

  async validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): Promise<void> {
    await (await this.#delivery()).validateTo(forwardPath, parameters, mail);
  }

  async openMessage(envelope: Envelope): Promise<Message> {
    return await (await this.#delivery()).openMessage(envelope);
  }

  /** Disposes of the delivery, if it was created. */
  async [Symbol.asyncDispose](): Promise<void> {
    const delivery = await this.#created?.catch(() => undefined);
    if (delivery !== undefined) await disposeOf(delivery);
  }

  /** Creates the delivery once. After an error the next call tries again. */
  async #delivery(): Promise<MessageDelivery> {
    this.#created ??= this.#begin();
    const creation = this.#created;
    try {
      return await creation;
    } catch (error) {
      if (this.#created === creation) this.#created = undefined;
      throw error;
    }
  }

  async #begin(): Promise<MessageDelivery> {
    return await this.#create();
  }
}
