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
import { disposeOf } from './dispose-of.ts';

/** A delivery that is not made before there is something to deliver: that it cannot be made is no reason to refuse anything else. */
export class LazyDelivery extends MessageDelivery implements AsyncDisposable {
  readonly #make: () => MaybePromise<MessageDelivery>;
  #made: Promise<MessageDelivery> | undefined;

  constructor(make: () => MaybePromise<MessageDelivery>) {
    super();
    this.#make = make;
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

  /** Disposes of the delivery, if it has been made. */
  async [Symbol.asyncDispose](): Promise<void> {
    const made = await this.#made?.catch(() => undefined);
    if (made !== undefined) await disposeOf(made);
  }

  /** What could not be made once may be made the next time. */
  async #delivery(): Promise<MessageDelivery> {
    this.#made ??= this.#begin();
    const making = this.#made;
    try {
      return await making;
    } catch (error) {
      if (this.#made === making) this.#made = undefined;
      throw error;
    }
  }

  async #begin(): Promise<MessageDelivery> {
    return await this.#make();
  }
}
