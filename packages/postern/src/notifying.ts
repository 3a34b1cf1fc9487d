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
import { type DeliveryFactory, disposeOfAll, wrapDeliveries } from './delivery-target.ts';
import { LazyDelivery } from './lazy-delivery.ts';
import { SenderDelivery } from './sender-delivery.ts';

/** The targets of notifications to senders. */
export interface NotificationTargets {
  /** Sends notifications to the next server. Undefined without such a server. */
  readonly notify: DeliveryFactory | undefined;
  /** Returns true for a sender with a mailbox on this server. Undefined if no sender has one. */
  readonly isLocalSender: ((sender: ForwardPath) => MaybePromise<boolean>) | undefined;
}

/**
 * Adds notifications (RFC 3464) to a factory's deliveries. A notification says what the reply to
 * the client cannot say; it goes into the sender's mailbox on this server, or to `notify`. A client
 * that has not logged in may forge its sender: no local mailbox receives a notification for such a
 * client.
 */
export function notifying(
  inner: DeliveryFactory,
  { notify, isLocalSender }: NotificationTargets,
  options: Omit<NotifyingDeliveryOptions, 'through'>,
): DeliveryFactory {
  return wrapDeliveries(
    inner,
    (delivery, avatarId, mind) => {
      const hasLocalRoute = isLocalSender !== undefined && avatarId !== ANONYMOUS;
      if (!hasLocalRoute && notify === undefined) return delivery;
      const through = new SenderDelivery({
        local: hasLocalRoute ? new LazyDelivery(() => inner(MAILER_DAEMON, mind)) : undefined,
        isLocal: isLocalSender ?? (() => false),
        remote: notify && new LazyDelivery(() => notify(MAILER_DAEMON, mind)),
      });
      // Nothing proves the sender of an anonymous client: its notification carries no text of the
      // message.
      const isUnproved = avatarId === ANONYMOUS && mind.protocol !== 'lmtp';
      const hasRouteTo = notify === undefined ? isLocalSender : undefined;
      return new RoutedNotifyingDelivery(
        delivery,
        through,
        hasRouteTo,
        isUnproved ? { ...options, returned: 0 } : options,
      );
    },
    notify === undefined ? [] : [notify],
  );
}

/** A NotifyingDelivery that notifies only senders with a route, and disposes of the routes. */
class RoutedNotifyingDelivery extends NotifyingDelivery {
  readonly #delivery: MessageDelivery;
  readonly #through: SenderDelivery;
  readonly #hasRouteTo: NotificationTargets['isLocalSender'];

  /**
   * @param hasRouteTo Returns true for a sender with a route. Undefined if every sender has one.
   */
  constructor(
    delivery: MessageDelivery,
    through: SenderDelivery,
    hasRouteTo: NotificationTargets['isLocalSender'],
    options: Omit<NotifyingDeliveryOptions, 'through'>,
  ) {
    super(delivery, { ...options, through });
    this.#delivery = delivery;
    this.#through = through;
    this.#hasRouteTo = hasRouteTo;
  }

  /** A sender without a route gets no notification: the reply to the client reports failures. */
  override openMessage(envelope: Envelope): MaybePromise<Message> {
    const { reversePath, recipients } = envelope;
    const isPlain = recipients.length === 1 && recipients[0]?.parameters.notify === undefined;
    if (this.#hasRouteTo === undefined || reversePath === null || isPlain) return super.openMessage(envelope);
    return after(this.#hasRouteTo(reversePath), (hasRoute) =>
      hasRoute ? super.openMessage(envelope) : this.#delivery.openMessage(envelope),
    );
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await disposeOfAll([{ [Symbol.asyncDispose]: () => super[Symbol.asyncDispose]() }, this.#through]);
  }
}

/** The avatar id that sends notifications. */
const MAILER_DAEMON = 'mailer-daemon';
