import { Warnings } from '@postern/conversation';
import {
  type Envelope,
  type ForwardPath,
  type Mailbox,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  Rejection,
} from '@postern/esmtp';
import { rejectionFor } from './file-errors.ts';
import { type FileSystem, systemFiles } from './file-system.ts';
import { type MaildirContext, MaildirMessage } from './maildir-message.ts';
import { type MailboxOptions, Maildirs } from './maildirs.ts';
import { Permissions, type PermissionsOptions } from './permissions.ts';
import { type Quota, Quotas } from './quota.ts';
import { Shortage } from './shortage.ts';

/** The mailboxes, the quota, the permissions and the error hook of a {@link MaildirDelivery}. */
export interface MaildirOptions extends MailboxOptions, PermissionsOptions {
  /**
   * Called with each error of the file system, for the log: the reply to the client has no details.
   * Default: the error becomes a process warning, once a minute for each text.
   */
  readonly onError?: (error: unknown, mailbox: Mailbox | undefined) => void;
  /**
   * The most octets that a mailbox holds: one number, or a function of the mailbox. RCPT is refused
   * with 452 4.2.2 if the declared SIZE does not fit, and so is a message that does not fit at its
   * end. The Maildir's `maildirsize` file (Maildir++) records the sum. Default: no limit.
   */
  readonly quota?: Quota;
  /** The file system. Default: `node:fs/promises`. */
  readonly files?: FileSystem;
}

/**
 * Delivers each message into one Maildir for each recipient:
 * `folder/ann@example.com/{tmp,new,cur}`. The first message creates the Maildir. Every recipient is
 * accepted whose mailbox has room. One object serves all users. A message is on the disk before its
 * `end` resolves.
 *
 * @example
 * ```ts
 * import { MaildirDelivery } from '@postern/maildir';
 *
 * const delivery = new MaildirDelivery('/var/mail/postern', { quota: 2 ** 30 });
 * await delivery.prepare();
 * ```
 */
export class MaildirDelivery extends MessageDelivery {
  readonly #context: MaildirContext;
  readonly #shortage: Shortage;

  /** @throws RangeError if the quota is not above 0, or the mode or the group is not valid. */
  constructor(folder: string, options: MaildirOptions = {}) {
    super();
    const { onError: report = warner(), quota, files = systemFiles } = options;
    const permissions = new Permissions(options, files);
    const quotas = quota === undefined ? undefined : new Quotas(quota, files, permissions);
    this.#shortage = new Shortage(folder, files);
    const onError: MaildirContext['onError'] = (error, mailbox) => {
      this.#shortage.note(error);
      return report(error, mailbox);
    };
    const maildirs = new Maildirs(folder, files, permissions, options);
    this.#context = { maildirs, files, permissions, quotas, onError };
  }

  /**
   * Creates the folder. A server calls this before it listens.
   *
   * @throws the error of the file system if this process cannot create Maildirs in the folder
   */
  prepare(): Promise<void> {
    return this.#context.maildirs.prepare();
  }

  /** @throws Rejection (452 4.3.1) while the process is short of file descriptors or memory. */
  validateFrom(): void | Promise<void> {
    return this.#shortage.check();
  }

  /**
   * @throws Rejection (452 4.2.2) if a message of the declared SIZE does not fit into the mailbox.
   */
  validateTo(forwardPath: ForwardPath, _parameters?: RcptParameters, mail?: MailParameters): void | Promise<void> {
    const { quotas } = this.#context;
    if (quotas !== undefined) return this.#expectRoom(quotas, forwardPath, Math.max(1, mail?.size ?? 0));
  }

  /** @throws Rejection (452 or 451) if no recipient has a usable Maildir. */
  openMessage(envelope: Envelope): Promise<Message> {
    return MaildirMessage.open(envelope, this.#context);
  }

  async #expectRoom(quotas: Quotas, mailbox: Mailbox, octets: number): Promise<void> {
    const { maildirs, onError } = this.#context;
    try {
      await maildirs.read();
      await quotas.expectRoom(maildirs.mailboxOf(mailbox), maildirs.pathOf(mailbox), octets);
    } catch (error) {
      if (!(error instanceof Rejection)) onError(error, mailbox);
      throw rejectionFor(error);
    }
  }
}

function warner(): (error: unknown) => void {
  const warnings = new Warnings();
  return (error) => warnings.warn('a message was not stored', error);
}
