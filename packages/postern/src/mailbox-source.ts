import type { AvatarFactory, AvatarId, MaybePromise } from '@postern/cred';
import type { Mailbox as MailboxAddress } from '@postern/esmtp';
import type { Mailbox } from '@postern/pop3';
import type { Log } from './log.ts';

/** The log and the settings of the command that a {@link MailboxSource} may use. */
export interface MailboxSourceContext {
  readonly log: Log;
  /** The characters that separate a tag from a user in an address. */
  readonly recipientDelimiter: string;
  /**
   * Returns the address whose mail a user reads.
   *
   * @throws NoAvatar for an anonymous client, and for a user whose mail is in another mailbox.
   */
  readonly addressOf: (avatarId: AvatarId) => MailboxAddress;
}

/** Returns the mailbox of one user at each POP3 login. */
export interface MailboxFactory extends AvatarFactory<Mailbox> {
  /** Runs before the server listens. Rejects with a StartError if no mailbox could be read. */
  readonly prepare?: () => Promise<void>;
}

/** The value of `mailboxes` in the config file, as `maildir()` returns it with its target. */
export class MailboxSource {
  /**
   * Returns the factory of mailboxes, or a promise of the factory. The server calls `open` once,
   * before it listens, and only with a POP3 listener.
   *
   * @throws UsageError for a source that cannot work.
   */
  readonly open: (context: MailboxSourceContext) => MaybePromise<MailboxFactory>;

  constructor(open: (context: MailboxSourceContext) => MaybePromise<MailboxFactory>) {
    this.open = open;
  }
}
