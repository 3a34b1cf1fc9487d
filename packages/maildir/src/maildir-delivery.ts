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
import { Congestion } from './congestion.ts';
import { type FileSystem, systemFiles } from './file-system.ts';
import { type MaildirContext, MaildirMessage } from './maildir-message.ts';
import { type MailboxOptions, Maildirs } from './maildirs.ts';
import { Permissions, type PermissionsOptions } from './permissions.ts';
import { type Quota, Quotas } from './quota.ts';
import { rejectionFor } from './trouble.ts';

/** Which Maildirs there are, how much they may hold, who may read them, and who hears of trouble with them. */
export interface MaildirOptions extends MailboxOptions, PermissionsOptions {
  /**
   * Hears what went wrong with a message, for the log: the client hears only that it may try again. Default: it becomes a warning of
   * the process, the same one once a minute.
   */
  readonly onError?: (error: unknown, mailbox: Mailbox | undefined) => void;
  /**
   * How many octets a mailbox may hold, for all or by mailbox. RCPT is refused (452 4.2.2) if the declared SIZE does not fit, and a message
   * that does not fit any more after it has come. The sum is kept in the Maildir's `maildirsize` (Maildir++). A number that is not above
   * 0 is a RangeError. Default: no limit.
   */
  readonly quota?: Quota;
  /** By default node:fs/promises. */
  readonly files?: FileSystem;
}

/**
 * Delivers into one Maildir for each recipient, `folder/ann@example.com/{tmp,new,cur}`, made when the first message comes. Takes
 * every recipient whose mailbox is not full; one object may serve all users. A message is on the disk before its `end` resolves.
 */
export class MaildirDelivery extends MessageDelivery {
  readonly #surroundings: MaildirContext;
  readonly #congestion: Congestion;

  /** @throws RangeError for a quota, a mode or a group that cannot be. */
  constructor(folder: string, options: MaildirOptions = {}) {
    super();
    const { onError: tell = warner(), quota, files = systemFiles } = options;
    const permissions = new Permissions(options, files);
    const quotas = quota === undefined ? undefined : new Quotas(quota, files, permissions);
    this.#congestion = new Congestion(folder, files);
    const onError: MaildirContext['onError'] = (error, mailbox) => {
      this.#congestion.note(error);
      return tell(error, mailbox);
    };
    const maildirs = new Maildirs(folder, files, permissions, options);
    this.#surroundings = { maildirs, files, permissions, quotas, onError };
  }

  /** For the start of a server: makes the folder, and fails with the system's error if no Maildir could be made in it. */
  prepare(): Promise<void> {
    return this.#surroundings.maildirs.prepare();
  }

  /** Rejects with a Rejection (452 4.3.1) while file descriptors or memory are short. */
  validateFrom(): void | Promise<void> {
    return this.#congestion.expectRoom();
  }

  /** Rejects with a Rejection (452 4.2.2) if a message of the declared SIZE does not fit into the mailbox. */
  validateTo(forwardPath: ForwardPath, _parameters?: RcptParameters, mail?: MailParameters): void | Promise<void> {
    const { quotas } = this.#surroundings;
    if (quotas !== undefined) return this.#expectRoom(quotas, forwardPath, Math.max(1, mail?.size ?? 0));
  }

  /** Rejects with a Rejection (452 or 451) if there is no recipient for whom anything can be stored. */
  openMessage(envelope: Envelope): Promise<Message> {
    return MaildirMessage.open(envelope, this.#surroundings);
  }

  async #expectRoom(quotas: Quotas, mailbox: Mailbox, octets: number): Promise<void> {
    const { maildirs, onError } = this.#surroundings;
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
