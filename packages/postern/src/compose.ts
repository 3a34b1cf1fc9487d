import { Deadlines, MemoryBudget, TurnQueue } from '@postern/conversation';
import {
  Anonymous,
  AnonymousChecker,
  type AnyChecker,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  type Credentials,
  Identity,
  identityOf,
  isDerived,
  Portal,
} from '@postern/cred';
import { type EsmtpOptions, esmtp, logTo, MessageDelivery, type Policy, services } from '@postern/esmtp';
import { type ListenOptions, networks } from '@postern/node';
import { type Challenger, defaultChallengers, type MechanismPolicy } from '@postern/sasl';
import { InMemoryFailureCounts, withThrottle } from '@postern/throttle';
import { type Access, accessChallengers, composeAccess } from './compose-access.ts';
import { composeDeliveries, type Deliveries } from './compose-deliveries.ts';
import type { CommandOutput } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import type { ListenerSettings, SmtpListenerSettings } from './listener-settings.ts';
import { isAccess, isAuthServer, isDirectory, isSmtp } from './listener-url.ts';
import { logEvents, logListenerError } from './log-events.ts';
import type { Settings } from './settings.ts';
import { UserStoreChecker } from './user-store-checker.ts';

/** The parts of a server that has not started. */
export interface Composition extends Deliveries {
  readonly portal: Portal;
  /** The checkers, in the order of `--auth`. */
  readonly checkers: readonly AnyChecker[];
  /** The protocols by which users read their mail and manage its filters. */
  readonly access: Access;
  /** Returns the mechanisms that the configuration leaves in at a listener. */
  readonly challengersOf: (listener: ListenerSettings) => readonly Challenger[];
  /** The rule for mechanisms that expose the password. */
  readonly mechanismPolicy: MechanismPolicy;
  /** The options of the listeners, without certificates. */
  readonly listeners: readonly ListenOptions[];
  /**
   * True if the operator lets anonymous clients in, at every listener with optional authentication.
   */
  readonly acceptsAnonymous: boolean;
  /** Returns whether a client of the listener must log in before it sends mail. */
  readonly authenticationOf: (listener: ListenerSettings) => Policy['authentication'];
}

/**
 * Puts the parts of a server together. No other function does.
 *
 * @throws UsageError for parts that do not work together.
 */
export async function compose(settings: Settings, output: CommandOutput): Promise<Composition> {
  const { hostname, limits, disabledExtensions, lenient, logUsernames, listeners } = settings;
  const acceptsAnonymous = settings.checkers.some(acceptsAnonymousCredentials);
  const authenticationOf = (listener: ListenerSettings) => authentication(listener, acceptsAnonymous);
  const isOpen = (listener: SmtpListenerSettings) =>
    listener.service !== 'submission' || authenticationOf(listener) !== 'required';
  const deliveries = await composeDeliveries(settings, output, isOpen);
  const checkers = checkersOf(settings, acceptsAnonymous);
  const access = await composeAccess(settings, { ...output, ...deliveries, checkers });
  const realm = access.provide(
    new AvatarRealm().provide(MessageDelivery, deliveries.factory).provide(Identity, identityOf),
  );
  const portal = new Portal(realm, settings.logins).register(guarded(checkers, settings));
  const challengers = defaultChallengers(settings.sasl).filter(
    ({ credentials }) => acceptsAnonymous || !isDerived(credentials, Anonymous),
  );
  const mechanismPolicy = { allowCleartext: networks(settings.allowCleartext) };
  const isNamed = settings.sasl.mechanisms !== undefined;
  const challengersOf = (listener: ListenerSettings) =>
    isAccess(listener) ? accessChallengers(listener.service, challengers, isNamed) : challengers;
  const common = { hostname, portal, mechanismPolicy, logUsernames };
  const mail = { ...common, challengers, limits, disabledExtensions, lenient, onEvent: logEvents(output.log, logTo) };
  // One of each for the connections of all listeners.
  const conversation = {
    deadlines: new Deadlines(),
    turns: new TurnQueue(),
    memory: new MemoryBudget(settings.memory),
  };
  const onError = logListenerError(output.log);
  return {
    ...deliveries,
    access,
    portal,
    checkers,
    challengersOf,
    mechanismPolicy,
    acceptsAnonymous,
    authenticationOf,
    listeners: listeners.map((listener) => ({
      endpoint: listener.endpoint,
      tlsPolicy: listener.tls,
      reusePort: settings.reusePort && !('path' in listener.endpoint),
      limits: isAuthServer(listener) ? { ...SERVER_LIMITS, ...settings.connections } : settings.connections,
      refusal: isAccess(listener) ? access.refusalOf(listener.service) : TOO_MANY_CONNECTIONS,
      onError,
      conversation,
      protocol: isAccess(listener)
        ? access.protocolOf(listener, { ...common, challengers: challengersOf(listener) })
        : esmtp({ ...mail, ...policyOf(listener), authentication: authenticationOf(listener) }),
      ...(listener.proxy && { proxy: { from: listener.proxy } }),
      ...(listener.mode !== undefined && { mode: listener.mode }),
      ...(listener.group !== undefined && { group: listener.group }),
      ...(listener.takeOver !== undefined && { takeOver: listener.takeOver }),
    })),
  };
}

/**
 * Returns the service, and the parts of its policy that the listener's URL names, except for
 * `auth`.
 */
function policyOf(listener: SmtpListenerSettings): Partial<EsmtpOptions> {
  const { requireQualifiedDomains, addMissingHeaders, newlines, removeBcc, omitClientFromReceived } = listener;
  const named = { requireQualifiedDomains, addMissingHeaders, newlines, removeBcc, omitClientFromReceived };
  return {
    service: listener.service,
    ...Object.fromEntries(Object.entries(named).filter(([, part]) => part !== undefined)),
    ...(listener.xclient && { xclient: networks(listener.xclient) }),
  };
}

/** An MX, an LMTP server and a listener without AUTH need a checker for their anonymous clients. */
function checkersOf({ checkers, listeners }: Settings, acceptsAnonymous: boolean): readonly AnyChecker[] {
  const needsAnonymous = listeners
    .filter(isSmtp)
    .some(({ service, auth }) => service !== 'submission' || auth === 'none');
  return needsAnonymous && !acceptsAnonymous ? [...checkers, new AnonymousChecker()] : checkers;
}

/** Returns one checker that asks the checkers in their order, with the throttle of the settings. */
function guarded(checkers: readonly AnyChecker[], { throttle, sharedCounts }: Settings): Checker<Credentials> {
  for (const [index, checker] of checkers.entries()) {
    // A user store without users is no mistake.
    if (checker instanceof UserStoreChecker || checker.credentialInterfaces.length > 0) continue;
    throw new UsageError(`auth ${index + 1}: expected a checker with at least one class in credentialInterfaces`);
  }
  const cascade = CascadingChecker.of(...(checkers as readonly Checker<Credentials>[]));
  if (throttle === false) return cascade;
  return withThrottle(cascade, { counts: sharedCounts ?? new InMemoryFailureCounts(), ...throttle });
}

function acceptsAnonymousCredentials({ credentialInterfaces }: AnyChecker): boolean {
  return credentialInterfaces.some((accepted) => isDerived(Anonymous, accepted));
}

/**
 * Returns the authentication of the listener's URL, or of its service: users of POP3, IMAP and
 * ManageSieve always log in. At a submission listener
 * anonymous clients need the operator's `--auth anonymous`, or `?auth=none`.
 */
function authentication(listener: ListenerSettings, acceptsAnonymous: boolean): Policy['authentication'] {
  if (isAccess(listener)) return isDirectory(listener) ? 'none' : 'required';
  const { service, auth } = listener;
  if (service !== 'submission') return auth ?? services[service].authentication;
  if (auth === 'none' || acceptsAnonymous) return auth ?? 'optional';
  return 'required';
}

/** The clients of an auth server are servers, with a connection for each of their clients. */
const SERVER_LIMITS = {
  maxConnectionsPerClient: Number.POSITIVE_INFINITY,
  maxConnectionsPerMinute: Number.POSITIVE_INFINITY,
} as const;
const TOO_MANY_CONNECTIONS = '421 4.3.2 Too many connections, try again later\r\n';
