import type { Protocol } from '@postern/conversation';
import { type SessionOptions, sessionSettings } from '@postern/sasl-profile';
import { ImapBackEnd } from './back-end/imap-back-end.ts';
import type { ImapEvent } from './events.ts';
import { type Limits, withDefaultLimits } from './protocol/limits.ts';
import { runSession } from './session/session.ts';
import type { Settings } from './session/settings.ts';

/**
 * The options of {@link imap}. The realm of `portal` provides an {@link ImapBackEnd} for each user.
 * The command LOGIN works as long as PLAIN or LOGIN is one of the `challengers`.
 */
export type ImapOptions = SessionOptions<Limits, ImapEvent>;

/**
 * Returns the front of an IMAP server (RFC 9051, RFC 3501): the state before the login, with TLS
 * and all mechanisms of the portal. After the login the octets of the session pass through to the
 * user's back end.
 *
 * @example
 * ```ts
 * import type { AvatarRealm, Portal } from '@postern/cred';
 * import { ImapBackEnd, imap } from '@postern/imap';
 * import { connect } from '@postern/node';
 *
 * declare const portal: Portal;
 * declare const realm: AvatarRealm;
 * const endpoint = { host: 'dovecot.internal', port: 993 };
 * realm.provide(
 *   ImapBackEnd,
 *   (username) =>
 *     new ImapBackEnd({
 *       connect: (signal) => connect({ endpoint, tlsPolicy: 'implicit', signal }),
 *       account: { username: String(username), masterUser: 'postern', password: 's3cret' },
 *     }),
 * );
 * const protocol = imap({ hostname: 'imap.example.com', portal });
 * ```
 *
 * @throws TypeError or RangeError for options with which no client could log in.
 */
export function imap(options: ImapOptions): Protocol {
  const limits = withDefaultLimits(options.limits);
  const settings: Settings = sessionSettings(options, { protocol: 'imap', avatar: ImapBackEnd, limits });
  const protocol: Protocol = (conversation) => runSession(conversation, settings);
  return Object.assign(protocol, { scheme: 'imap' });
}
