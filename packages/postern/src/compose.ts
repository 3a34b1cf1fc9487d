import type { Protocol } from '@postern/conversation';
import { Anonymous, type Portal } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { bindAvatar, bindChecker, identifiers, submissionModules } from '@postern/inversify';
import type { Challenger } from '@postern/sasl';
import { Container } from 'inversify';
import type { DeliveryContext } from './deliver-specs.ts';
import { logEvents } from './log-events.ts';
import type { ListenerSettings, Settings } from './settings.ts';

/** A server's parts, put together and not started. */
export interface Composition {
  readonly container: Container;
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
  const container = new Container();
  container.load(...submissionModules);
  container.bind(identifiers.Hostname).toConstantValue(settings.hostname);
  container.bind(identifiers.ChallengersOptions).toConstantValue(settings.sasl);
  container
    .bind(identifiers.EsmtpOptions)
    .toConstantValue({ limits: settings.limits, onEvent: logEvents(context.log) });
  container.bind(identifiers.Warn).toConstantValue((warning) => context.log.warn(warning));
  bindAvatar(container, MessageDelivery).toConstantValue(settings.deliver(context));
  for (const [order, checker] of settings.checkers.entries()) {
    bindChecker(container, `auth ${order + 1}`, { order }).toConstantValue(checker);
  }

  const portal = container.get(identifiers.Portal);
  const acceptsGuests = portal.handles(Anonymous);
  const authenticationOf = ({ auth }: ListenerSettings) => auth ?? (acceptsGuests ? 'optional' : 'required');
  return {
    container,
    challengers: container.get(identifiers.Challengers),
    portal,
    acceptsGuests,
    authenticationOf,
    protocolOf: (listener) => container.get(identifiers.Esmtp)({ authentication: authenticationOf(listener) }),
  };
}
