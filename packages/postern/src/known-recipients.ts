import { after } from '@postern/core';
import { ANONYMOUS } from '@postern/cred';
import { KnownRecipientsDelivery } from '@postern/esmtp';
import type { DeliveryFactory } from './delivery-target.ts';
import { disposeOf } from './dispose-of.ts';
import type { Recipients } from './recipients.ts';

/**
 * Delivers to known recipients only. Where mail is sent on, users who have logged in may send to other domains as
 * well: nobody else may, or the server would be an open relay.
 */
export function toKnownRecipients(destination: DeliveryFactory, recipients: Recipients): DeliveryFactory {
  const isLocal = destination.isLocal ?? false;
  const factory: DeliveryFactory = (avatarId, mind) =>
    after(destination(avatarId, mind), (delivery) => {
      const isStranger = avatarId === ANONYMOUS;
      return new KnownRecipientsDelivery(delivery, recipients, {
        allowForeign: !isLocal && !isStranger,
        allowRoutes: isLocal || !isStranger,
      });
    });
  return Object.assign(factory, {
    isLocal,
    prepare: async () => await destination.prepare?.(),
    [Symbol.asyncDispose]: () => disposeOf(destination),
  });
}
