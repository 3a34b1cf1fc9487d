import { Anonymous, AnonymousChecker, type AnyChecker, isDerived, type Portal } from '@postern/cred';
import { MessageDelivery, type Policy, services, withDefaultLimits } from '@postern/esmtp';
import {
  bindAvatar,
  bindChecker,
  bindListener,
  type EsmtpFactory,
  identifiers,
  Misconfiguration,
  submissionModules,
} from '@postern/inversify';
import { Certificates, formatEndpoint, networks } from '@postern/node';
import type { Challenger, OfferPolicy } from '@postern/sasl';
import { Container } from 'inversify';
import { certificateOptions } from './certificate-options.ts';
import { logEvents, logTrouble, logUnsent } from './log-events.ts';
import { notifying } from './notifying.ts';
import type { DeliveryContext, Destination } from './place.ts';
import type { ListenerSettings, Settings } from './settings.ts';
import { UsageError } from './usage-error.ts';

/** A server's parts, put together and not started. */
export interface Composition {
  /** For the server itself, and its certificates if it has any. */
  readonly container: Container;
  readonly challengers: readonly Challenger[];
  readonly portal: Portal;
  /** Where a mechanism may expose the secret. */
  readonly offer: OfferPolicy;
  readonly destination: Destination;
  /** True if the operator lets in who does not authenticate, wherever that may be asked. */
  readonly acceptsGuests: boolean;
  /** Whether a client of this listener has to log in before it may send. */
  readonly authenticationOf: (listener: ListenerSettings) => Policy['authentication'];
}

/** Puts a server together: the only place where its parts meet. */
export function compose(settings: Settings, context: DeliveryContext): Composition {
  const container = new Container();
  container.load(...submissionModules);
  const { hostname, sasl, limits, omit, throttle, tls, checkers, listeners } = settings;
  const offer = { cleartext: networks(settings.allowCleartext) };
  container.bind(identifiers.Hostname).toConstantValue(hostname);
  container.bind(identifiers.ChallengersOptions).toConstantValue(sasl);
  container.bind(identifiers.EsmtpOptions).toConstantValue({ limits, omit, offer, onEvent: logEvents(context.log) });
  container.bind(identifiers.Warn).toConstantValue((warning) => context.log.warn(warning));
  if (tls !== undefined) {
    const warn = (warning: string) => context.log.warn(warning);
    const load = () => Certificates.load(certificateOptions(tls, warn));
    container.bind(identifiers.Certificates).toDynamicValue(load).inSingletonScope();
  }
  if (throttle !== false) container.bind(identifiers.Throttle).toConstantValue(throttle);
  const destination = destinationOf(settings, context);
  bindAvatar(container, MessageDelivery).toConstantValue(destination);
  for (const [order, checker] of checkers.entries()) {
    bindChecker(container, `auth ${order + 1}`, { order }).toConstantValue(checker);
  }
  const acceptsGuests = checkers.some(judgesGuests);
  if (!acceptsGuests && listeners.some(({ service, auth }) => service !== 'submission' || auth === 'none')) {
    // Who sends mail to us has no name here, and needs none.
    bindChecker(container, 'guests', { order: checkers.length }).toConstantValue(new AnonymousChecker());
  }

  const portal = portalOf(container);
  const challengers = container
    .get(identifiers.Challengers)
    .filter(({ credentials }) => acceptsGuests || !isDerived(credentials, Anonymous));
  const authenticationOf = ({ auth, service }: ListenerSettings) => authentication(service, auth, acceptsGuests);
  for (const [n, listener] of listeners.entries()) {
    const { endpoint, tls, proxy, mode, service, xclient } = listener;
    const options = {
      endpoint,
      tlsPolicy: tls,
      reusePort: settings.reusePort && !('path' in endpoint),
      limits: settings.connections,
      refusal: '421 4.3.2 Too many connections, try again later\r\n',
      onTrouble: logTrouble(context.log),
      ...(proxy && { proxy: { from: proxy } }),
      ...(mode !== undefined && { mode }),
    };
    const differences = {
      service,
      challengers,
      authentication: authenticationOf(listener),
      ...namedPolicy(listener),
      ...(xclient && { xclient: networks(xclient) }),
    };
    bindListener(container, `${n + 1}, ${formatEndpoint(endpoint)}`).toResolvedValue(
      (esmtp: EsmtpFactory) => ({ ...options, protocol: esmtp(differences) }),
      [identifiers.Esmtp],
    );
  }
  return {
    container,
    challengers,
    portal,
    offer,
    destination,
    acceptsGuests,
    authenticationOf,
  };
}

/** The parts of the policy that the listener's URL names, except for `auth`. */
function namedPolicy(listener: ListenerSettings): Partial<Policy> {
  const { qualifiedDomains, completeHeader, newlines, removeBcc, omitClientFromReceived } = listener;
  const parts = { qualifiedDomains, completeHeader, newlines, removeBcc, omitClientFromReceived };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}

function destinationOf({ deliver, notify, hostname, limits }: Settings, context: DeliveryContext): Destination {
  const destination = deliver(context);
  if (notify === undefined) return destination;
  const { finalTime } = withDefaultLimits(limits);
  return notifying(destination, notify(context), {
    hostname,
    onTrouble: logUnsent(context.log),
    // Over before the session gives up.
    finalTime: Math.max(finalTime - 5_000, finalTime / 2),
  });
}

/** What it cannot be made of is the operator's choice. */
function portalOf(container: Container): Portal {
  try {
    return container.get(identifiers.Portal);
  } catch (error) {
    if (error instanceof Misconfiguration) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

function judgesGuests({ credentialInterfaces }: AnyChecker): boolean {
  return credentialInterfaces.some((judged) => isDerived(Anonymous, judged));
}

/** The listener's own word, or that of its service; where users are at home, guests are only let in if the operator lets them in. */
function authentication(
  service: ListenerSettings['service'],
  auth: ListenerSettings['auth'],
  acceptsGuests: boolean,
): Policy['authentication'] {
  if (service !== 'submission') return auth ?? services[service].authentication;
  if (auth === 'none' || acceptsGuests) return auth ?? 'optional';
  return 'required';
}
