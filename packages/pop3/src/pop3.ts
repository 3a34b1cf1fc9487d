import type { Conversation, Protocol } from '@postern/conversation';
import { type SessionOptions, sessionSettings } from '@postern/sasl-profile';
import type { Pop3Event } from './events.ts';
import { Mailbox } from './mailbox.ts';
import { type Limits, withDefaultLimits } from './protocol/limits.ts';
import { APOP, USER } from './session/login-commands.ts';
import { stuffedBuffers } from './session/send-message.ts';
import { runSession } from './session/session.ts';
import type { Settings } from './session/settings.ts';

/** The options of {@link pop3}. */
export interface Pop3Options extends SessionOptions<Limits, Pop3Event> {
  /**
   * The login commands that the server lacks. Default: none. USER then works where passwords may be
   * sent, and APOP where the portal has a checker with clear-text passwords.
   */
  readonly disabledLoginCommands?: readonly ('USER' | 'APOP')[];
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
 * const mailbox = new InMemoryMailbox(['Subject: Hello\r\n\r\nHi\r\n']);
 * const realm = new AvatarRealm().provide(Mailbox, () => mailbox);
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
  const disabledLoginCommands = disabledOf(options.disabledLoginCommands);
  const settings = sessionSettings(options, {
    protocol: 'pop3',
    avatar: Mailbox,
    limits: withDefaultLimits(options.limits),
    loginCommands: [USER, APOP].filter(({ mechanism }) => !disabledLoginCommands.has(mechanism)),
  });
  return { ...settings, disabledLoginCommands, stuffedBuffers: stuffedBuffers() };
}

/** @throws TypeError for a word that is no login command. */
function disabledOf(disabled: readonly string[] = []): ReadonlySet<string> {
  const unknown = disabled.find((name) => name !== 'USER' && name !== 'APOP');
  if (unknown !== undefined) {
    throw new TypeError(`disabledLoginCommands: expected USER or APOP, not ${JSON.stringify(unknown)}`);
  }
  return new Set(disabled);
}
