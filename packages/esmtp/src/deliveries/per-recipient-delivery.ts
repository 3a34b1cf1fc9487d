import { Deadlines, Warnings } from '@postern/conversation';
import { after, type Clock, type MaybePromise, systemClock } from '@postern/core';
import {
  type Envelope,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  type Recipient,
} from '../delivery.ts';
import { type ForwardPath, type Mailbox, parseMailbox, readForwardPath } from '../protocol/address.ts';
import { Rejection } from '../protocol/reply.ts';
import { PerRecipientMessage } from './per-recipient-message.ts';
import { RecipientMessage } from './recipient-message.ts';

/** Returns the delivery of a recipient. Throws a {@link Rejection} for a recipient without one. */
export type Route = (forwardPath: ForwardPath) => MaybePromise<MessageDelivery>;

/** The options of a {@link PerRecipientDelivery}. */
export interface PerRecipientDeliveryOptions {
  /**
   * The time that one recipient's delivery has for each call but `end`, in milliseconds. After it
   * the recipient gets a 451, and the other recipients wait no longer. Default: 100,000, which is
   * less than the server's own limit (`deliveryTimeout`).
   */
  readonly deliveryTimeout?: number;
  /**
   * The time that one recipient's delivery has for the `end` of a message, in milliseconds.
   * Default: 610,000, which is less than the server's own limit (`endTimeout`).
   */
  readonly endTimeout?: number;
  /**
   * Called for each error of a recipient's delivery that is not a {@link Rejection}. Default: the
   * error becomes a warning of the process, the same one once a minute.
   */
  readonly onError?: (error: unknown, recipient: Recipient) => void;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Delivers to each recipient through the recipient's own delivery, as a message of its own with a
 * result of its own. A delivery that fails, or is slow, affects no other recipient. One object may
 * serve all users.
 *
 * @example
 * ```ts
 * import { InMemoryDelivery, PerRecipientDelivery, Rejection } from '@postern/esmtp';
 *
 * const mailboxes = new Map([['ann@example.com', new InMemoryDelivery()]]);
 * const delivery = new PerRecipientDelivery((forwardPath) => {
 *   const mailbox = mailboxes.get(forwardPath.toString());
 *   if (mailbox === undefined) throw new Rejection(550, '5.1.1', 'No such mailbox here');
 *   return mailbox;
 * });
 * ```
 */
export class PerRecipientDelivery extends MessageDelivery {
  readonly #route: Route;
  readonly #options: PerRecipientDeliveryOptions;
  readonly #deadlines: Deadlines;
  readonly #warnings: Warnings;
  /** The deliveries that `validateTo` has found. */
  readonly #routed = new WeakMap<ForwardPath, MessageDelivery>();

  constructor(route: Route, options: PerRecipientDeliveryOptions = {}) {
    super();
    this.#route = route;
    this.#options = options;
    const clock = options.clock ?? systemClock;
    this.#deadlines = new Deadlines(clock);
    this.#warnings = new Warnings(clock);
  }

  /** Accepts each sender: `openMessage` asks the recipients' deliveries. */
  validateFrom(): void {}

  validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): MaybePromise<void> {
    return after(this.#route(forwardPath), (delivery) => {
      this.#routed.set(forwardPath, delivery);
      return delivery.validateTo(forwardPath, parameters, mail);
    });
  }

  /**
   * Asks the delivery of the address in the text. Resolves to undefined for an address without a
   * delivery.
   */
  override async verify(text: string): Promise<Mailbox | undefined> {
    const forwardPath = parseAddress(text);
    const delivery = forwardPath && (await this.#find(forwardPath));
    return await delivery?.verify?.(text);
  }

  /** @throws Rejection if the message fails to open for every recipient. */
  async openMessage(envelope: Envelope): Promise<Message> {
    const { deliveryTimeout = 100_000, endTimeout = 610_000, onError = this.#warn } = this.#options;
    const timeouts = { deliveryTimeout, endTimeout, deadlines: this.#deadlines };
    const opened = envelope.recipients.map(async (recipient) => {
      const message = new RecipientMessage(timeouts, (error) => onError(error, recipient));
      await message.open(() => this.#open({ ...envelope, recipients: [recipient] }, recipient));
      return message;
    });
    return PerRecipientMessage.of(await Promise.all(opened));
  }

  readonly #warn = (error: unknown): void => this.#warnings.warn('the delivery of a recipient failed', error);

  async #find(forwardPath: ForwardPath): Promise<MessageDelivery | undefined> {
    try {
      return await this.#route(forwardPath);
    } catch (error) {
      if (error instanceof Rejection) return undefined;
      throw error;
    }
  }

  async #open(envelope: Envelope, { forwardPath }: Recipient): Promise<Message> {
    const delivery = this.#routed.get(forwardPath) ?? (await this.#route(forwardPath));
    await delivery.validateFrom(envelope.reversePath, envelope.parameters);
    return await delivery.openMessage(envelope);
  }
}

/**
 * Returns the address in a VRFY, with or without angle brackets; undefined if the text is not an
 * address.
 */
function parseAddress(text: string): ForwardPath | undefined {
  const read = readForwardPath(text);
  return typeof read === 'object' && read.end === text.length ? read.path : parseMailbox(text);
}
