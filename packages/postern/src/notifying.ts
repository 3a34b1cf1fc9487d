import { after } from '@postern/cred';
import { Notifying, type NotifyingOptions } from '@postern/esmtp';
import type { Destination } from './place.ts';

/** Delivers as before, and sends what the client cannot be told where notifications go. */
export function notifying(
  destination: Destination,
  notify: Destination,
  options: Omit<NotifyingOptions, 'through'>,
): Destination {
  const factory: Destination = (avatarId, mind) =>
    after(destination(avatarId, mind), (delivery) =>
      after(notify(MAILER, mind), (through) => new Notifying(delivery, { ...options, through })),
    );
  return Object.assign(factory, {
    prepare: async () => {
      await destination.prepare?.();
      await notify.prepare?.();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([disposeOf(destination), disposeOf(notify)]);
    },
  });
}

async function disposeOf(destination: Destination & Partial<AsyncDisposable & Disposable>): Promise<void> {
  if (Symbol.asyncDispose in destination) await destination[Symbol.asyncDispose]?.();
  else destination[Symbol.dispose]?.();
}

/** Who sends notifications: no user, and no guest. */
const MAILER = 'mailer-daemon';
