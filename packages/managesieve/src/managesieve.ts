import type { Protocol } from '@postern/conversation';
import {
  completeLimits,
  defaultSessionLimits,
  minimalSessionLimits,
  type ProxyEvent,
  ProxySession,
  type SessionLimits,
  type SessionOptions,
  serveSession,
  sessionSettings,
} from '@postern/sasl-profile';
import { SieveBackEnd } from './back-end.ts';
import { SieveDialogue, type Verb } from './session.ts';

/** An event of one connection: see `SessionEvent` and `ProxiedEvent` of `@postern/sasl-profile`. */
export type ManageSieveEvent = ProxyEvent<Verb>;

/** The options of {@link managesieve}. The realm of `portal` provides a {@link SieveBackEnd}. */
export type ManageSieveOptions = SessionOptions<SessionLimits, ManageSieveEvent>;

/**
 * Returns the front of a ManageSieve server (RFC 5804): the login, with TLS and all mechanisms of
 * the portal. After the login the octets of the session pass through to the user's back end.
 *
 * @throws TypeError or RangeError for options with which no client could log in.
 */
export function managesieve(options: ManageSieveOptions): Protocol {
  const limits = completeLimits(options.limits, defaultSessionLimits, minimalSessionLimits);
  const settings = sessionSettings(options, { protocol: 'managesieve', avatar: SieveBackEnd, limits });
  const protocol: Protocol = (conversation) => {
    const session = new ProxySession<SieveBackEnd, Verb, undefined>(conversation, settings);
    return serveSession(session, new SieveDialogue(session));
  };
  return Object.assign(protocol, { scheme: 'sieve' });
}
