import { type Conversation, type Protocol, Warnings } from '@postern/conversation';
import { systemClock } from '@postern/core';
import { Identity } from '@postern/cred';
import { ChallengePacer } from '@postern/sasl';
import {
  checkCheckers,
  checkHostname,
  checkRealm,
  EventReporter,
  offerByHostname,
  type SessionOptions,
} from '@postern/sasl-profile';
import type { DovecotAuthEvent } from './events.ts';
import { type Limits, withDefaultLimits } from './protocol/limits.ts';
import { isListable, MechanismList } from './session/mechanism-list.ts';
import { runSession } from './session/session.ts';
import type { Settings } from './session/settings.ts';

/** The options of {@link dovecotAuth}. */
export interface DovecotAuthOptions
  extends Pick<
    SessionOptions<never, DovecotAuthEvent>,
    'portal' | 'mechanismPolicy' | 'onEvent' | 'logUsernames' | 'clock'
  > {
  /**
   * The mechanisms, or a function that returns those of a hostname. Default: `defaultChallengers`
   * of `@postern/sasl`. A -PLUS is listed only to a mail server of minor 3 or later, which passes
   * the channel binding on. ANONYMOUS and EXTERNAL are never listed: an anonymous client has no
   * identity, and no mail server passes its client's certificate on.
   */
  readonly challengers?: SessionOptions<never, DovecotAuthEvent>['challengers'];
  /** The name of this host, for challenges: an ASCII domain or an address in brackets. */
  readonly hostname: string;
  /** Bounds on what one mail server may use. */
  readonly limits?: Partial<Limits>;
  /**
   * True lists SCRAM-SHA-1 and SCRAM-SHA-256 also without their -PLUS. Under TLS, clients of GNU
   * SASL such as msmtp 1.8.26 then do not log in behind Postfix and Exim, because their -PLUS is
   * missing. Default: false.
   */
  readonly listGnuScram?: boolean;
}

/**
 * Returns Dovecot's auth server as a protocol for conversations: Postfix (`smtpd_sasl_type =
 * dovecot`), Exim and chasquid log their clients in by it. The protocol never rejects.
 *
 * The realm provides an `Identity` for each user. Register checkers and avatars before this call:
 * it checks that some client can log in.
 *
 * @example
 * ```ts
 * import { AvatarRealm, Identity, identityOf, Portal } from '@postern/cred';
 * import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
 * import { dovecotAuth } from '@postern/dovecot-auth';
 *
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
 * const realm = new AvatarRealm().provide(Identity, identityOf);
 * const portal = new Portal(realm).register(users);
 * const protocol = dovecotAuth({ hostname: 'mail.example.com', portal });
 * ```
 *
 * @throws TypeError for an option that cannot work: no checker lets any client in, the realm
 * provides no `Identity`, or the hostname is invalid.
 * @throws RangeError for a limit that is too small, or too late for Postfix.
 */
export function dovecotAuth(options: DovecotAuthOptions): Protocol {
  const settings = settingsOf(options);
  return Object.assign((conversation: Conversation) => runSession(conversation, settings), { scheme: 'dovecot-auth' });
}

function settingsOf(options: DovecotAuthOptions): Settings {
  const { portal, clock = systemClock, listGnuScram = false, logUsernames = false } = options;
  const limits = withDefaultLimits(options.limits);
  const hostname = checkHostname(options.hostname);
  checkRealm(portal, Identity, 'dovecotAuth');
  const { challengers, offerFor } = offerByHostname(hostname, options);
  checkCheckers(portal, challengers.filter(isListable), 'dovecotAuth');
  let connections = 0;
  return {
    portal,
    mechanisms: new MechanismList(offerFor({ hostname }), challengers, listGnuScram ? NONE : GNU_SCRAM),
    limits,
    events: new EventReporter(options.onEvent, new Warnings(clock), 'dovecot-auth'),
    logUsernames,
    clock,
    challengePacer: new ChallengePacer(limits.minChallengeDelay, clock),
    nextConnectionId: () => {
      connections++;
      return connections;
    },
  };
}

/** The mechanisms that clients of GNU SASL refuse under TLS without a -PLUS. */
const GNU_SCRAM: ReadonlySet<string> = new Set(['SCRAM-SHA-1', 'SCRAM-SHA-256']);
const NONE: ReadonlySet<string> = new Set();
