import { type Conversation, type Protocol, Warnings } from '@postern/conversation';
import { type Clock, systemClock } from '@postern/core';
import type { Mind, Portal } from '@postern/cred';
import { ChallengePacer, type Challenger, type MechanismPolicy } from '@postern/sasl';
import { checkServerHostname, EventReporter, MechanismOffer, MechanismOffers } from '@postern/sasl-profile';
import type { Pop3EventListener } from './events.ts';
import { type Pop3Limits, withDefaultPop3Limits } from './protocol/limits.ts';
import { checkPortal } from './session/check-portal.ts';
import { APOP, asOffered, USER } from './session/login-commands.ts';
import { runSession } from './session/session.ts';
import type { Settings } from './session/settings.ts';

/** The options of {@link pop3}. */
export interface Pop3Options {
  /**
   * The name of this server in its greeting and its mechanisms: an ASCII domain or an address
   * literal. A function chooses the name for each connection, and again after STLS: by `mind.local`,
   * or by `mind.tls?.serverName`. If the function fails or returns an invalid name, the client gets
   * `-ERR [SYS/PERM]` and the listener an error of the operator.
   */
  readonly hostname: string | ((mind: Mind) => string);
  /** Logs clients in, for an avatar that is a {@link Mailbox}. */
  readonly portal: Portal;
  /**
   * The SASL mechanisms. Each client is offered those that the portal has a checker for and the
   * connection allows. A function returns the mechanisms of one hostname. Default:
   * `defaultChallengers({ hostname })` of `@postern/sasl`.
   */
  readonly challengers?: readonly Challenger[] | ((hostname: string) => readonly Challenger[]);
  /**
   * The connections on which USER and mechanisms are offered. Default: those that expose the secret
   * need TLS or a client on this host.
   */
  readonly mechanismPolicy?: MechanismPolicy;
  /**
   * The login commands that the server lacks. Default: none: USER works where passwords may be sent,
   * and APOP where the portal has a checker with clear-text passwords.
   */
  readonly disabledLoginCommands?: readonly ('USER' | 'APOP')[];
  /** Bounds on what one client may use. Default: {@link defaultPop3Limits}. */
  readonly limits?: Partial<Pop3Limits>;
  /**
   * Gets the events of all connections, for logs and metrics: `logTo(logger)` is such a listener.
   * Default: none. Errors of this server and of its operator then become warnings of the process,
   * the same one at most once a minute.
   */
  readonly onEvent?: Pop3EventListener;
  /**
   * True puts the user name of a failed login into its event. Users type passwords into the wrong
   * field. Default: false.
   */
  readonly logUsernames?: boolean;
  /** The clock for delays after failed logins. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Returns the POP3 server (RFC 1939, RFC 2449, RFC 2595, RFC 5034, RFC 6856) as a protocol for
 * conversations. The transport of a connection says which TLS its endpoint requires. The protocol
 * never rejects.
 *
 * Register checkers and avatars before this call: it checks that some client can read mail.
 *
 * @example
 * ```ts
 * import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
 * import { InMemoryMailbox, Mailbox, pop3 } from '@postern/pop3';
 *
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
 * const realm = new AvatarRealm().provide(Mailbox, () => new InMemoryMailbox(['Subject: Hello\r\n\r\nHi\r\n']));
 * const portal = new Portal(realm).register(users);
 * const protocol = pop3({ hostname: 'pop.example.com', portal });
 * ```
 *
 * @throws TypeError for an option that cannot work: no checker lets any client in, the realm
 * provides no {@link Mailbox}, or a hostname is invalid.
 * @throws RangeError for a limit that is too small.
 */
export function pop3(options: Pop3Options): Protocol {
  const settings = settingsOf(options);
  return Object.assign((conversation: Conversation) => runSession(conversation, settings), { scheme: 'pop3' });
}

function settingsOf(options: Pop3Options): Settings {
  const { clock = systemClock, portal, mechanismPolicy, disabledLoginCommands = [] } = options;
  const hostname = typeof options.hostname === 'function' ? options.hostname : checkServerHostname(options.hostname);
  const limits = withDefaultPop3Limits(options.limits);
  const mechanisms = new MechanismOffers(options);
  const loginCommands = loginCommandsWithout(disabledLoginCommands);
  checkPortal(portal, [...mechanisms.example, ...loginCommands]);
  return {
    hostname,
    portal,
    limits,
    mechanisms,
    loginCommands: new MechanismOffer(loginCommands, portal, mechanismPolicy),
    events: new EventReporter(options.onEvent, new Warnings(clock), 'pop3'),
    logUsernames: options.logUsernames ?? false,
    clock,
    challengePacer: new ChallengePacer(limits.minChallengeDelay, clock),
  };
}

/** @throws TypeError for a word that is no login command. */
function loginCommandsWithout(disabled: readonly string[]): readonly Challenger[] {
  const commands = [USER, APOP];
  const unknown = disabled.find((name) => !commands.some(({ mechanism }) => mechanism === name));
  if (unknown !== undefined) {
    throw new TypeError(`disabledLoginCommands: expected USER or APOP, not ${JSON.stringify(unknown)}`);
  }
  return commands.filter(({ mechanism }) => !disabled.includes(mechanism)).map(asOffered);
}
