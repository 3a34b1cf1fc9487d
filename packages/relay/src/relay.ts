import { ANONYMOUS, type AvatarFactory } from '@postern/cred';
import { type Message, MessageDelivery, Rejection } from '@postern/esmtp';
import { RelayDelivery } from './relay-delivery.ts';
import { Smarthost, type SmarthostOptions } from './smarthost.ts';

/** The next server, and whose messages go there. */
export interface RelayOptions extends SmarthostOptions {
  /**
   * Takes messages of clients that have not logged in as well. To a smarthost, that would be an open relay. Default: only with LMTP,
   * where the next server delivers and sends nothing on.
   */
  readonly allowAnonymous?: boolean;
}

/**
 * A delivery for each login, and one smarthost for all: `new AvatarRealm().provide(MessageDelivery, relay({…}))`. To dispose of it takes
 * leave of the smarthost.
 */
export function relay(options: RelayOptions): AvatarFactory<MessageDelivery> & AsyncDisposable {
  const smarthost = new Smarthost(options);
  const { allowAnonymous = options.lmtp ?? false } = options;
  const factory: AvatarFactory<MessageDelivery> = (avatarId, mind) =>
    avatarId === ANONYMOUS && !allowAnonymous ? new NoRelay() : new RelayDelivery(smarthost, { avatarId, mind });
  return Object.assign(factory, { [Symbol.asyncDispose]: () => smarthost.close() });
}

/** For a guest whom nobody vouches for. */
class NoRelay extends MessageDelivery {
  validateFrom(): void {}

  validateTo(): never {
    throw new Rejection(550, '5.7.1', 'Relaying denied: log in first');
  }

  openMessage(): Message {
    return this.validateTo();
  }
}
