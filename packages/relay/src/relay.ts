import type { AvatarFactory } from '@postern/cred';
import type { MessageDelivery } from '@postern/esmtp';
import { RelayDelivery } from './relay-delivery.ts';
import { Smarthost, type SmarthostOptions } from './smarthost.ts';

/**
 * A delivery for each login, and one smarthost for all: `new AvatarRealm().provide(MessageDelivery, relay({…}))`. To dispose of it takes
 * leave of the smarthost.
 */
export function relay(options: SmarthostOptions): AvatarFactory<MessageDelivery> & AsyncDisposable {
  const smarthost = new Smarthost(options);
  const factory: AvatarFactory<MessageDelivery> = () => new RelayDelivery(smarthost);
  return Object.assign(factory, { [Symbol.asyncDispose]: () => smarthost.close() });
}
