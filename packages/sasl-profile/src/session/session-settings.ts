import { Warnings } from '@postern/conversation';
import { type Clock, systemClock } from '@postern/core';
import type { Interface, Portal } from '@postern/cred';
import { ChallengePacer, type Challenger, type MechanismPolicy } from '@postern/sasl';
import type { MechanismOffer } from '../mechanism-offer.ts';
import { type ChallengersOption, offerByHostname } from '../offer-by-hostname.ts';
import type { LoginCommand } from '../ready-challenger.ts';
import { checkCheckers, checkRealm } from './check-portal.ts';
import { EventReporter } from './event-reporter.ts';
import { checkHostname, type HostnameOption } from './hostname.ts';
import type { AnySessionEvent, SessionListener } from './session-event.ts';
import type { SessionLimits } from './session-limits.ts';

/** The options that all protocols have. `L` is the protocol's limits, `E` its events. */
export interface SessionOptions<L extends SessionLimits, E extends AnySessionEvent> {
  /**
   * The name of this server in its greeting and its replies: an ASCII domain or an address in
   * brackets. A function chooses the name for each connection, and again after STARTTLS: by
   * `mind.local`, or by `mind.tls?.serverName`.
   */
  readonly hostname: HostnameOption;
  /** Logs clients in, for the avatar of the protocol. */
  readonly portal: Portal;
  /**
   * The SASL mechanisms. Each client is offered those that the portal has a checker for and the
   * connection allows. A function returns the mechanisms of one hostname. Default:
   * `defaultChallengers({ hostname })` of `@postern/sasl`.
   */
  readonly challengers?: ChallengersOption | undefined;
  /**
   * The connections on which mechanisms are offered. Default: those that expose the secret need TLS
   * or a client on this host.
   */
  readonly mechanismPolicy?: MechanismPolicy | undefined;
  /** Bounds on what one client may use. */
  readonly limits?: Partial<L>;
  /**
   * Gets the events of all connections, for logs and metrics. Default: none. Errors of this server
   * and of its operator then become warnings of the process, the same one at most once a minute.
   */
  readonly onEvent?: SessionListener<E>;
  /**
   * True puts the user name of a failed login into its event. Users type passwords into the wrong
   * field. Default: false.
   */
  readonly logUsernames?: boolean;
  /** The clock for delays after failed logins and junk commands. Default: the system's. */
  readonly clock?: Clock;
}

/** The options of a server with all defaults, for each of its sessions. */
export interface SessionSettings<A extends object, E extends AnySessionEvent, L extends SessionLimits = SessionLimits> {
  /** The protocol's name in lower case: `pop3`. */
  readonly protocol: string;
  readonly hostname: HostnameOption;
  readonly portal: Portal;
  /** The avatars that the protocol works with. */
  readonly interfaces: readonly Interface<A>[];
  /** Returns the mechanisms of a session, by its hostname. */
  readonly offerFor: (session: { readonly hostname: string }) => MechanismOffer;
  readonly limits: L;
  readonly events: EventReporter<E>;
  /** True if the event of a failed login holds the user name. */
  readonly logUsernames: boolean;
  /** Measures the delays after failed logins and junk commands. */
  readonly clock: Clock;
  /** Delays the first challenges of all connections. */
  readonly challengePacer: ChallengePacer;
}

/** The parts of a protocol's settings that are the same for all its servers. */
export interface ProtocolTraits<A extends object, L extends SessionLimits> {
  /** The protocol's name in lower case: `pop3`. It is also the name of the protocol's function. */
  readonly protocol: string;
  /** The avatar that the protocol works with. */
  readonly avatar: Interface<A>;
  /** All limits: see `completeLimits`. */
  readonly limits: L;
  /** Login commands beside the mechanisms, such as `USER`. Default: none. */
  readonly loginCommands?: readonly LoginCommand[];
  /**
   * Checks that a client can log in, in place of {@link checkCheckers}. Throws a TypeError with the
   * missing registration.
   */
  readonly checkLogins?: (challengers: readonly Challenger[]) => void;
}

/**
 * Returns the settings of a protocol's sessions. Register checkers and avatars before this call: it
 * checks that some client can log in.
 *
 * @throws TypeError for an option that cannot work: no checker lets any client in, the realm
 * provides no such avatar, the hostname is invalid.
 */
export function sessionSettings<A extends object, L extends SessionLimits, E extends AnySessionEvent>(
  options: SessionOptions<L, E>,
  { protocol, avatar, limits, loginCommands = [], checkLogins }: ProtocolTraits<A, L>,
): SessionSettings<A, E, L> {
  const { clock = systemClock, portal } = options;
  const hostname = typeof options.hostname === 'function' ? options.hostname : checkHostname(options.hostname);
  const { challengers, offerFor } = offerByHostname(typeof hostname === 'string' ? hostname : undefined, options);
  checkRealm(portal, avatar, protocol);
  if (checkLogins === undefined) checkCheckers(portal, [...challengers, ...loginCommands], protocol);
  else checkLogins(challengers);
  return {
    protocol,
    hostname,
    portal,
    interfaces: [avatar],
    offerFor,
    limits,
    events: new EventReporter(options.onEvent, new Warnings(clock), protocol),
    logUsernames: options.logUsernames ?? false,
    clock,
    challengePacer: new ChallengePacer(limits.minChallengeDelay, clock),
  };
}
