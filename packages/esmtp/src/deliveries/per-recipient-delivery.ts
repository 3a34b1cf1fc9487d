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
import { FanOut } from './fan-out.ts';
import { RecipientMessage } from './recipient-message.ts';

/** Who takes a recipient's messages. Throws a Rejection where nobody does. */
export type Route = (forwardPath: ForwardPath) => MaybePromise<MessageDelivery>;

/** How long one recipient's delivery may keep the others waiting. */
export interface PerRecipientDeliveryOptions {
  /**
   * How long one recipient's delivery may take over one call, in milliseconds; then that recipient gets a 451, and the others are not
   * kept waiting. Default: 100,000, so that it is over before the server's own limit (`deliveryTimeout`).
   */
  readonly deliveryTimeout?: number;
  /** The same for a message's `end`. Default: 610,000, so that it is over before the server's own limit (`endTimeout`). */
  readonly endTimeout?: number;
  /**
   * Hears what went wrong with a recipient's delivery, other than by a Rejection. Default: it becomes a warning of the process, the same
   * one once a minute.
   */
  readonly onError?: (error: unknown, recipient: Recipient) => void;
  /** By default the machine's. */
  readonly clock?: Clock;
}

/**
 * Delivers to each recipient by itself: each has a delivery, a message, and a result of its own. One that fails, or is slow, is no
 * other's trouble. One object may serve all users.
 */
export class PerRecipientDelivery extends MessageDelivery {
  readonly #route: Route;
  readonly #options: PerRecipientDeliveryOptions;
  readonly #deadlines: Deadlines;
  readonly #warnings: Warnings;
  /** Whom a recipient was routed to when the client named it. */
  readonly #routed = new WeakMap<ForwardPath, MessageDelivery>();

  constructor(route: Route, options: PerRecipientDeliveryOptions = {}) {
    super();
    this.#route = route;
    this.#options = options;
    const clock = options.clock ?? systemClock;
    this.#deadlines = new Deadlines(clock);
    this.#warnings = new Warnings(clock);
  }

  /** Whether the sender may send is asked of each delivery, when the message begins. */
  validateFrom(): void {}

  validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): MaybePromise<void> {
    return after(this.#route(forwardPath), (delivery) => {
      this.#routed.set(forwardPath, delivery);
      return delivery.validateTo(forwardPath, parameters, mail);
    });
  }

  /** Asks the delivery of the address that the text is; who has none is left open, and not told of. */
  override async verify(text: string): Promise<Mailbox | undefined> {
    const forwardPath = addressOf(text);
    const delivery = forwardPath && (await this.#find(forwardPath));
    return await delivery?.verify?.(text);
  }

  /** Rejects with a Rejection if no recipient's message can begin. */
  async openMessage(envelope: Envelope): Promise<Message> {
    const { deliveryTimeout = 100_000, endTimeout = 610_000, onError = this.#warn } = this.#options;
    const branches = envelope.recipients.map((recipient) => {
      const times = { deliveryTimeout: deliveryTimeout, endTimeout: endTimeout, deadlines: this.#deadlines };
      return new RecipientMessage(times, (error) => onError(error, recipient));
    });
    const opened = branches.map((branch, at) => {
      const recipient = envelope.recipients[at] as Recipient;
      return branch.open(() => this.#open({ ...envelope, recipients: [recipient] }, recipient));
    });
    await Promise.all(opened);
    return FanOut.of(branches);
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

/** With angle brackets or without; undefined if it is none. */
function addressOf(text: string): ForwardPath | undefined {
  const read = readForwardPath(text);
  return typeof read === 'object' && read.end === text.length ? read.path : parseMailbox(text);
}
