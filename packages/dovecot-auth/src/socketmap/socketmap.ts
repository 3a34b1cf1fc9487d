import type { Conversation, Protocol } from '@postern/conversation';
import { Anonymous } from '@postern/cred';
import { LookupSession } from '../lookups/lookup-session.ts';
import { type LookupOptions, lookupSettings } from '../lookups/settings.ts';
import { serveSocketmap } from './serve-socketmap.ts';

/** The options of {@link socketmap}. */
export type SocketmapOptions = LookupOptions;

/**
 * Returns a server of Postfix's and Sendmail's socketmap protocol (socketmap_table(5)), with two
 * maps. `senders` returns the login names that may use an address, for `smtpd_sender_login_maps`.
 * `recipients` returns `OK` for an address that exists, for `virtual_mailbox_maps`,
 * `relay_recipient_maps` and `local_recipient_maps`. A question without an answer is `TEMP`:
 * Postfix then defers the mail. The protocol never rejects.
 *
 * The portal logs in with `Anonymous`, and the realm returns a `MailDirectory`.
 *
 * @example
 * ```ts
 * import { AnonymousChecker, AvatarRealm, Portal } from '@postern/cred';
 * import { MailDirectory, socketmap } from '@postern/dovecot-auth';
 *
 * declare const directory: MailDirectory;
 * const realm = new AvatarRealm().provide(MailDirectory, () => directory);
 * const portal = new Portal(realm).register(new AnonymousChecker());
 * const protocol = socketmap({ portal });
 * ```
 *
 * @throws TypeError for a portal that cannot answer: without the avatar or the checker.
 * @throws RangeError for a limit that is too small.
 */
export function socketmap(options: SocketmapOptions): Protocol {
  const settings = lookupSettings(options, { protocol: 'socketmap', maxRequest: 8_192, credentials: [Anonymous] });
  const serve = (conversation: Conversation): Promise<void> =>
    serveSocketmap(new LookupSession(conversation, settings));
  return Object.assign(serve, { scheme: 'socketmap' });
}
