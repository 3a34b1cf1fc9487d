import { type Conversation, type Protocol, Warnings } from '@postern/conversation';
import { type Clock, systemClock } from '@postern/core';
import { Identity, type Portal, UsernamePassword } from '@postern/cred';
import { checkCheckers, checkRealm, EventReporter, type SessionListener } from '@postern/sasl-profile';
import type { SaslauthdEvent } from './events.ts';
import { completeSaslauthdLimits, type SaslauthdLimits } from './limits.ts';
import { SaslauthdServer } from './saslauthd-server.ts';

/** The options of {@link saslauthd}. */
export interface SaslauthdOptions {
  /** Logs clients in with `UsernamePassword`, for an `Identity`. */
  readonly portal: Portal;
  /** Bounds on what one mail server may use. */
  readonly limits?: Partial<SaslauthdLimits>;
  /**
   * Gets the events of all connections. Default: none. Errors of this server and of its operator
   * then become warnings of the process, the same one at most once a minute.
   */
  readonly onEvent?: SessionListener<SaslauthdEvent>;
  /** True puts the user name of a failed login into its event. Default: false. */
  readonly logUsernames?: boolean;
  /** Measures the delays of refusals. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Returns a server of the protocol of Cyrus SASL's `saslauthd`, for a UNIX socket `…/mux`: Cyrus,
 * Postfix, Exim and OpenLDAP ask it. A connection is one login with a user name and a password. The
 * answer is `OK` or `NO`. A temporary failure closes the connection without an answer, which Cyrus
 * SASL reports as temporary. The protocol never rejects.
 *
 * @example
 * ```ts
 * import {
 *   AvatarRealm,
 *   Identity,
 *   identityOf,
 *   InMemoryUsernamePasswordDatabaseDontUse,
 *   Portal,
 * } from '@postern/cred';
 * import { saslauthd } from '@postern/dovecot-auth';
 *
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ 'ann@example.com': 'secret' });
 * const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users);
 * const protocol = saslauthd({ portal });
 * ```
 *
 * @throws TypeError for a portal that lets no client in: without the avatar or a checker.
 * @throws RangeError for a limit that is too small.
 */
export function saslauthd(options: SaslauthdOptions): Protocol {
  const { portal, limits, onEvent, logUsernames = false, clock = systemClock } = options;
  checkRealm(portal, Identity, 'saslauthd');
  checkCheckers(portal, [{ credentials: UsernamePassword }], 'saslauthd');
  const settings = {
    portal,
    limits: completeSaslauthdLimits(limits),
    events: new EventReporter(onEvent, new Warnings(clock), 'saslauthd'),
    logUsernames,
    clock,
  };
  const serve = (conversation: Conversation): Promise<void> => new SaslauthdServer(conversation, settings).run();
  return Object.assign(serve, { scheme: 'saslauthd' });
}
