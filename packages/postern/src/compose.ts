import type { Protocol } from '@postern/conversation';
import { Anonymous, AvatarRealm, CascadingChecker, Portal } from '@postern/cred';
import { esmtp, MessageDelivery } from '@postern/esmtp';
import { type Challenger, challengers } from '@postern/sasl';
import type { DeliveryContext } from './deliver-specs.ts';
import { logEvents } from './log-events.ts';
import type { ListenerSettings, Settings } from './settings.ts';

/** A server's parts, put together and not started. */
export interface Composition {
  readonly challengers: readonly Challenger[];
  readonly portal: Portal;
  /** True if who does not authenticate is let in as Anonymous. */
  readonly acceptsGuests: boolean;
  /** Whether a client of this listener has to log in before it may send. */
  readonly authenticationOf: (listener: ListenerSettings) => 'required' | 'optional';
  readonly protocolOf: (listener: ListenerSettings) => Protocol;
}

/** Puts a server together: the only place where its parts meet. */
export function compose(settings: Settings, context: DeliveryContext): Composition {
  const { hostname, limits, sasl } = settings;
  const family = challengers(sasl);
  const realm = new AvatarRealm().provide(MessageDelivery, settings.deliver(context));
  const portal = new Portal(realm).register(CascadingChecker.of(...settings.checkers));
  const acceptsGuests = portal.handles(Anonymous);
  const onEvent = logEvents(context.log);
  const authenticationOf = ({ auth }: ListenerSettings) => auth ?? (acceptsGuests ? 'optional' : 'required');
  return {
    challengers: family,
    portal,
    acceptsGuests,
    authenticationOf,
    protocolOf: (listener) =>
      esmtp({ hostname, portal, challengers: family, authentication: authenticationOf(listener), limits, onEvent }),
  };
}
