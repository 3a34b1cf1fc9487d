import type { Conversation, Protocol } from '@postern/conversation';
import { Anonymous, TrustedLogin } from '@postern/cred';
import { LookupSession } from '../lookups/lookup-session.ts';
import { type LookupOptions, lookupSettings } from '../lookups/settings.ts';
import { PolicyServer } from './policy-server.ts';

/** The options of {@link policy}. */
export type PolicyOptions = LookupOptions;

/**
 * Returns a server of Postfix's policy delegation protocol (`check_policy_service`). It refuses a
 * logged-in client that uses the sender of another user, and each recipient that does not exist.
 * All else is `DUNNO`. A question that it cannot answer closes the connection without a reply:
 * Postfix then defers the mail (`smtpd_policy_service_default_action`). The protocol never rejects.
 *
 * The portal logs in with `TrustedLogin` for a client that Postfix has logged in, and with
 * `Anonymous` for any other. The realm returns a `MailDirectory`.
 *
 * @example
 * ```ts
 * import { AnonymousChecker, AvatarRealm, Portal, TrustedLoginChecker } from '@postern/cred';
 * import { MailDirectory, policy } from '@postern/dovecot-auth';
 *
 * declare const directoryOf: (user: unknown) => MailDirectory;
 * const realm = new AvatarRealm().provide(MailDirectory, directoryOf);
 * const portal = new Portal(realm)
 *   .register(new TrustedLoginChecker())
 *   .register(new AnonymousChecker());
 * const protocol = policy({ portal });
 * ```
 *
 * @throws TypeError for a portal that cannot answer: without the avatar or one of the checkers.
 * @throws RangeError for a limit that is too small.
 */
export function policy(options: PolicyOptions): Protocol {
  const settings = lookupSettings(options, {
    protocol: 'policy',
    maxRequest: 65_536,
    credentials: [TrustedLogin, Anonymous],
  });
  const serve = (conversation: Conversation): Promise<void> => {
    const session = new LookupSession(conversation, settings);
    conversation.lineEnding = 'lf';
    conversation.serveLines(new PolicyServer(session));
    return session.completed;
  };
  return Object.assign(serve, { scheme: 'policy' });
}
