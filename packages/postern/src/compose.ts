import { Anonymous, type Portal } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import {
  bindAvatar,
  bindChecker,
  bindListener,
  type EsmtpFactory,
  identifiers,
  submissionModules,
} from '@postern/inversify';
import { Certificates, formatEndpoint } from '@postern/node';
import type { Challenger } from '@postern/sasl';
import { Container } from 'inversify';
import { logEvents, logTrouble } from './log-events.ts';
import type { DeliveryContext } from './place.ts';
import type { ListenerSettings, Settings } from './settings.ts';

/** A server's parts, put together and not started. */
export interface Composition {
  /** For the server itself, and its certificates if it has any. */
  readonly container: Container;
  readonly challengers: readonly Challenger[];
  readonly portal: Portal;
  /** True if who does not authenticate is let in as Anonymous. */
  readonly acceptsGuests: boolean;
  /** Whether a client of this listener has to log in before it may send. */
  readonly authenticationOf: (listener: ListenerSettings) => 'required' | 'optional';
}

/** Puts a server together: the only place where its parts meet. */
export function compose(settings: Settings, context: DeliveryContext): Composition {
  const container = new Container();
  container.load(...submissionModules);
  const { hostname, sasl, limits, throttle, tls, checkers, listeners } = settings;
  container.bind(identifiers.Hostname).toConstantValue(hostname);
  container.bind(identifiers.ChallengersOptions).toConstantValue(sasl);
  container.bind(identifiers.EsmtpOptions).toConstantValue({ limits, onEvent: logEvents(context.log) });
  container.bind(identifiers.Warn).toConstantValue((warning) => context.log.warn(warning));
  if (tls !== undefined) {
    const load = () => Certificates.load(tls);
    container.bind(identifiers.Certificates).toDynamicValue(load).inSingletonScope();
  }
  if (throttle !== false) container.bind(identifiers.Throttle).toConstantValue(throttle);
  bindAvatar(container, MessageDelivery).toConstantValue(settings.deliver(context));
  for (const [order, checker] of checkers.entries()) {
    bindChecker(container, `auth ${order + 1}`, { order }).toConstantValue(checker);
  }

  const portal = container.get(identifiers.Portal);
  const acceptsGuests = portal.handles(Anonymous);
  const authenticationOf = ({ auth }: ListenerSettings) => auth ?? (acceptsGuests ? 'optional' : 'required');
  for (const [n, listener] of listeners.entries()) {
    const options = {
      endpoint: listener.endpoint,
      tlsPolicy: listener.tls,
      reusePort: settings.reusePort,
      refusal: '421 4.3.2 Too many connections, try again later\r\n',
      onTrouble: logTrouble(context.log),
    };
    const authentication = authenticationOf(listener);
    bindListener(container, `${n + 1}, ${formatEndpoint(listener.endpoint)}`).toResolvedValue(
      (esmtp: EsmtpFactory) => ({ ...options, protocol: esmtp({ authentication }) }),
      [identifiers.Esmtp],
    );
  }
  return {
    container,
    challengers: container.get(identifiers.Challengers),
    portal,
    acceptsGuests,
    authenticationOf,
  };
}
