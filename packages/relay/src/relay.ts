import { ANONYMOUS, type AvatarFactory } from '@postern/cred';
import { type Message, MessageDelivery, Rejection } from '@postern/esmtp';
import { RelayDelivery } from './relay-delivery.ts';
import { Smarthost, type SmarthostOptions } from './smarthost.ts';

/** The options of {@link relay}. */
export interface RelayOptions extends SmarthostOptions {
  /**
   * True to relay messages of clients without a login. With a smarthost that is an open relay.
   * Default: true for LMTP, where the next server delivers the messages itself, else false.
   */
  readonly allowAnonymous?: boolean;
}

/**
 * Returns a factory of deliveries, one for each login, that share one smarthost. Disposing of the
 * factory closes the connections.
 *
 * @throws RangeError for a number that is not valid
 * @example
 * ```ts
 * import { AvatarRealm } from '@postern/cred';
 * import { MessageDelivery } from '@postern/esmtp';
 * import { relay } from '@postern/relay';
 *
 * await using deliveries = relay({ endpoint: { host: 'smtp.example.net', port: 587 } });
 * const realm = new AvatarRealm().provide(MessageDelivery, deliveries);
 * ```
 */
export function relay(options: RelayOptions): AvatarFactory<MessageDelivery> & AsyncDisposable {
  const smarthost = new Smarthost(options);
  const { allowAnonymous = options.lmtp ?? false } = options;
  const factory: AvatarFactory<MessageDelivery> = (avatarId, mind) =>
    avatarId === ANONYMOUS && !allowAnonymous ? new RelayingDenied() : new RelayDelivery(smarthost, { avatarId, mind });
  return Object.assign(factory, { [Symbol.asyncDispose]: () => smarthost.close() });
}

/** The delivery of an anonymous client that may not relay. */
class RelayingDenied extends MessageDelivery {
  validateFrom(): void {}

  validateTo(): never {
    throw new Rejection(550, '5.7.1', 'Relaying denied: log in first');
  }

  openMessage(): Message {
    return this.validateTo();
  }
}
