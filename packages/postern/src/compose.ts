import { after } from '@postern/core';
import { Anonymous, AnonymousChecker, type AnyChecker, isDerived, type Portal } from '@postern/cred';
import { type ForwardPath, MessageDelivery, type Policy, services, withDefaultLimits } from '@postern/esmtp';
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
import type { Challenger, MechanismPolicy } from '@postern/sasl';
import { Container } from 'inversify';
import { certificateOptions } from './certificate-options.ts';
import type { DeliveryFactory, DeliveryTargetContext } from './delivery-target.ts';
import { toKnownRecipients } from './known-recipients.ts';
import { logEvents, logListenerError, logUnsent } from './log-events.ts';
import { notifying } from './notifying.ts';
import { OwnSenders } from './own-senders.ts';
import { Recipients } from './recipients.ts';
import type { ListenerSettings, Settings } from './settings.ts';
import { UsageError } from './usage-error.ts';

/** A server's parts, put together and not started. */
export interface Composition {
  /** For the server itself, and its certificates if it has any. */
  readonly container: Container;
  readonly challengers: readonly Challenger[];
  readonly portal: Portal;
  /** Where a mechanism may expose the secret. */
  readonly mechanismPolicy: MechanismPolicy;
  readonly destination: DeliveryFactory;
  /** Who lives here, before it is read; undefined if nothing says it. */
  readonly recipients: Recipients | undefined;
  /** Which addresses users may send from, before they are read; undefined for any. */
  readonly ownSenders: OwnSenders | undefined;
  /** True if the operator lets in who does not authenticate, wherever that may be asked. */
  readonly acceptsAnonymous: boolean;
  /** Whether a client of this listener has to log in before it may send. */
  readonly authenticationOf: (listener: ListenerSettings) => Policy['authentication'];
}

/** Puts a server together: the only place where its parts meet. */
export function compose(settings: Settings, context: DeliveryTargetContext): Composition {
  const container = new Container();
  container.load(...submissionModules);
  const { hostname, sasl, limits, disabledExtensions, lenient, throttle, logUsernames, tls, checkers, listeners } =
    settings;
  const mechanismPolicy = { allowCleartext: networks(settings.allowCleartext) };
  container.bind(identifiers.Hostname).toConstantValue(hostname);
  container.bind(identifiers.ChallengersOptions).toConstantValue(sasl);
  container.bind(identifiers.EsmtpOptions).toConstantValue({
    limits,
    disabledExtensions,
    lenient,
    mechanismPolicy,
    logUsernames,
    onEvent: logEvents(context.log),
  });
  container.bind(identifiers.Warn).toConstantValue((warning) => context.log.warn(warning));
  if (tls !== undefined) {
    const warn = (warning: string) => context.log.warn(warning);
    const load = () => Certificates.load(certificateOptions(tls, warn));
    container.bind(identifiers.Certificates).toDynamicValue(load).inSingletonScope();
  }
  container.bind(identifiers.MemoryBudgetOptions).toConstantValue(settings.memory);
  if (throttle !== false) container.bind(identifiers.Throttle).toConstantValue(throttle);
  const acceptsAnonymous = checkers.some(checksAnonymous);
  const authenticationOf = ({ auth, service }: ListenerSettings) => authentication(service, auth, acceptsAnonymous);
  const isOpen = (listener: ListenerSettings) =>
    listener.service !== 'submission' || authenticationOf(listener) !== 'required';
  const { destination, recipients, ownSenders } = destinationOf(settings, context, isOpen);
  bindAvatar(container, MessageDelivery).toConstantValue(destination);
  for (const [order, checker] of checkers.entries()) {
    bindChecker(container, `auth ${order + 1}`, { order }).toConstantValue(checker);
  }
  if (!acceptsAnonymous && listeners.some(({ service, auth }) => service !== 'submission' || auth === 'none')) {
    // Who sends mail to us has no name here, and needs none.
    bindChecker(container, 'guests', { order: checkers.length }).toConstantValue(new AnonymousChecker());
  }

  const portal = portalOf(container);
  const challengers = container
    .get(identifiers.Challengers)
    .filter(({ credentials }) => acceptsAnonymous || !isDerived(credentials, Anonymous));
  for (const [n, listener] of listeners.entries()) {
    const { endpoint, tls, proxy, mode, service, xclient } = listener;
    const options = {
      endpoint,
      tlsPolicy: tls,
      reusePort: settings.reusePort && !('path' in endpoint),
      limits: settings.connections,
      refusal: '421 4.3.2 Too many connections, try again later\r\n',
      onError: logListenerError(context.log),
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
    mechanismPolicy: mechanismPolicy,
    destination,
    recipients,
    ownSenders,
    acceptsAnonymous,
    authenticationOf,
  };
}

/** The parts of the policy that the listener's URL names, except for `auth`. */
function namedPolicy(listener: ListenerSettings): Partial<Policy> {
  const { requireQualifiedDomains, addMissingHeaders, newlines, removeBcc, omitClientFromReceived } = listener;
  const parts = {
    requireQualifiedDomains: requireQualifiedDomains,
    addMissingHeaders: addMissingHeaders,
    newlines,
    removeBcc,
    omitClientFromReceived,
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}

/** Notifications name the recipients that the client named: so they go around what expands aliases. */
function destinationOf(
  settings: Settings,
  context: DeliveryTargetContext,
  isOpen: (listener: ListenerSettings) => boolean,
): Pick<Composition, 'destination' | 'recipients' | 'ownSenders'> {
  const end = settings.deliver(context);
  const recipients = recipientsOf(settings, end.isLocal ?? false, isOpen);
  const known = recipients === undefined ? end : toKnownRecipients(end, recipients);
  const told = withNotifications(known, recipients, settings, context);
  const ownSenders = ownSendersOf(settings);
  return { destination: ownSenders === undefined ? told : ownSenders.guard(told), recipients, ownSenders };
}

/** @throws UsageError if a listener takes mail from anywhere for Maildirs of anybody, or users could not send on. */
function recipientsOf(
  settings: Settings,
  isLocal: boolean,
  isOpen: (listener: ListenerSettings) => boolean,
): Recipients | undefined {
  const { recipients, listeners, hostname, recipientDelimiter } = settings;
  const open = listeners.find(isOpen);
  if (recipients === undefined) {
    if (!isLocal || open === undefined) return undefined;
    throw new UsageError(
      `${formatEndpoint(open.endpoint)}: expected --recipients or --domains (or recipients or domains in the config ` +
        `file) for ${OPEN_SERVICES[open.service]} that stores mail: who lives here? --domains '*' takes every address`,
    );
  }
  const asks = recipients.lookup !== undefined || recipients.users.length > 0;
  if (!isLocal && asks && recipients.domains === undefined) {
    throw new UsageError(
      '--domains: expected the domains that are ours, where a user database or a function knows the recipients and mail is sent on',
    );
  }
  return new Recipients(recipients, { hostname, recipientDelimiter, isLocal });
}

const OPEN_SERVICES = { submission: 'a listener without login', mx: 'an MX', lmtp: 'LMTP' } as const;

function ownSendersOf({ ownSenders, recipients, hostname, recipientDelimiter }: Settings): OwnSenders | undefined {
  if (ownSenders === undefined) return undefined;
  const domains = recipients?.domains;
  return new OwnSenders(ownSenders, {
    domains: domains === undefined || domains === '*' ? [hostname] : domains,
    recipientDelimiter,
  });
}

/** A sender is told in a mailbox here where somebody says who lives here: `--domains '*'` does not. */
function withNotifications(
  destination: DeliveryFactory,
  recipients: Recipients | undefined,
  settings: Settings,
  context: DeliveryTargetContext,
): DeliveryFactory {
  const { notify, hostname, limits } = settings;
  const isKnown = destination.isLocal === true && settings.recipients?.domains !== '*';
  const livesHere =
    recipients !== undefined && isKnown
      ? (sender: ForwardPath) => after(recipients.resolve(sender), (found) => found === 'known' || Array.isArray(found))
      : undefined;
  if (notify === undefined && livesHere === undefined) return destination;
  const { endTimeout } = withDefaultLimits(limits);
  const ways = { notify: notify?.(context), livesHere };
  return notifying(destination, ways, {
    hostname,
    onError: logUnsent(context.log),
    // Over before the session gives up.
    endTimeout: Math.max(endTimeout - 5_000, endTimeout / 2),
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

function checksAnonymous({ credentialInterfaces }: AnyChecker): boolean {
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
