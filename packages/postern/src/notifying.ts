import { ANONYMOUS, after } from '@postern/cred';
import { type MessageDelivery, Notifying, type NotifyingOptions } from '@postern/esmtp';
import { disposeOf } from './dispose-of.ts';
import { Mailer } from './mailer.ts';
import type { Destination } from './place.ts';

/** Delivers as before, and sends what the client cannot be told where notifications go. */
export function notifying(
  destination: Destination,
  notify: Destination,
  options: Omit<NotifyingOptions, 'through'>,
): Destination {
  const factory: Destination = (avatarId, mind) =>
    after(destination(avatarId, mind), (delivery) => {
      // A notification to an address that nobody has proved carries no text of the stranger who named it.
      const isStranger = avatarId === ANONYMOUS && mind.protocol !== 'lmtp';
      const mailer = new Mailer(() => notify(MAILER, mind));
      return new NotifyingAvatar(delivery, mailer, isStranger ? { ...options, returned: 0 } : options);
    });
  const both = new Set([destination, notify]);
  return Object.assign(factory, {
    isLocal: destination.isLocal ?? false,
    prepare: async () => {
      for (const one of both) await one.prepare?.();
    },
    [Symbol.asyncDispose]: () => disposeOfAll(both),
  });
}

/** Disposes of the way of its notifications, too. */
class NotifyingAvatar extends Notifying {
  readonly #mailer: Mailer;

  constructor(delivery: MessageDelivery, mailer: Mailer, options: Omit<NotifyingOptions, 'through'>) {
    super(delivery, { ...options, through: mailer });
    this.#mailer = mailer;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await disposeOfAll([{ [Symbol.asyncDispose]: () => super[Symbol.asyncDispose]() }, this.#mailer]);
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
