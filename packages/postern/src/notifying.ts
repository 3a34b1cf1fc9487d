import { after, type MaybePromise } from '@postern/core';
import { ANONYMOUS } from '@postern/cred';
import {
  type Envelope,
  type ForwardPath,
  type Message,
  type MessageDelivery,
  NotifyingDelivery,
  type NotifyingDeliveryOptions,
} from '@postern/esmtp';
import type { DeliveryFactory } from './delivery-target.ts';
import { disposeOf } from './dispose-of.ts';
import { LazyDelivery } from './lazy-delivery.ts';
import { SenderDelivery } from './sender-delivery.ts';

/** Where notifications go. */
export interface NotificationWays {
  /** Sends them on. Undefined if nothing does. */
  readonly notify: DeliveryFactory | undefined;
  /** Returns true for a sender who has a mailbox at the destination itself. Undefined if nobody has one. */
  readonly livesHere: ((sender: ForwardPath) => MaybePromise<boolean>) | undefined;
}

/**
 * Delivers as before, and sends what the client cannot be told into the sender's own mailbox, or where notifications go. A sender who has
 * not logged in may be made up: no mailbox here gets a notification for it.
 */
export function notifying(
  destination: DeliveryFactory,
  { notify, livesHere }: NotificationWays,
  options: Omit<NotifyingDeliveryOptions, 'through'>,
): DeliveryFactory {
  const factory: DeliveryFactory = (avatarId, mind) =>
    after(destination(avatarId, mind), (delivery) => {
      const isLocal = livesHere !== undefined && avatarId !== ANONYMOUS;
      if (!isLocal && notify === undefined) return delivery;
      const through = new SenderDelivery({
        local: isLocal ? new LazyDelivery(() => destination(MAILER, mind)) : undefined,
        livesHere: livesHere ?? (() => false),
        remote: notify && new LazyDelivery(() => notify(MAILER, mind)),
      });
      // A notification to an address that nobody has proved carries no text of the stranger who named it.
      const isStranger = avatarId === ANONYMOUS && mind.protocol !== 'lmtp';
      const hasWayTo = notify === undefined ? livesHere : undefined;
      return new NotifyingAvatar(delivery, through, hasWayTo, isStranger ? { ...options, returned: 0 } : options);
    });
  const both = new Set([destination, ...(notify === undefined ? [] : [notify])]);
  return Object.assign(factory, {
    isLocal: destination.isLocal ?? false,
    prepare: async () => {
      for (const one of both) await one.prepare?.();
    },
    [Symbol.asyncDispose]: () => disposeOfAll(both),
  });
}

/** Disposes of the way of its notifications, too. */
class NotifyingAvatar extends NotifyingDelivery {
  readonly #delivery: MessageDelivery;
  readonly #through: SenderDelivery;
  readonly #hasWayTo: NotificationWays['livesHere'];

  /** `hasWayTo` says which senders can be told; undefined if all can. */
  constructor(
    delivery: MessageDelivery,
    through: SenderDelivery,
    hasWayTo: NotificationWays['livesHere'],
    options: Omit<NotifyingDeliveryOptions, 'through'>,
  ) {
    super(delivery, { ...options, through });
    this.#delivery = delivery;
    this.#through = through;
    this.#hasWayTo = hasWayTo;
  }

  /** A sender without a way is told nothing, which is no error: the client's reply tells of failures. */
  override openMessage(envelope: Envelope): MaybePromise<Message> {
    const { reversePath, recipients } = envelope;
    const isPlain = recipients.length === 1 && recipients[0]?.parameters.notify === undefined;
    if (this.#hasWayTo === undefined || reversePath === null || isPlain) return super.openMessage(envelope);
    return after(this.#hasWayTo(reversePath), (hasWay) =>
      hasWay ? super.openMessage(envelope) : this.#delivery.openMessage(envelope),
    );
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await disposeOfAll([{ [Symbol.asyncDispose]: () => super[Symbol.asyncDispose]() }, this.#through]);
  }
}

/** Each of them, whatever becomes of the others; rejects if one does. */
async function disposeOfAll(all: Iterable<object>): Promise<void> {
  const disposals = [...all].map(disposeOf);
  await Promise.allSettled(disposals);
  await Promise.all(disposals);
}

/** Who sends notifications: no user, and no guest. */
const MAILER = 'mailer-daemon';
