import { Warnings } from '@postern/conversation';
import {
  type Envelope,
  type ForwardPath,
  type Mailbox,
  type Message,
  MessageDelivery,
  Rejection,
} from '@postern/esmtp';
import { type FileSystem, systemFiles } from './file-system.ts';
import { MaildirMessage, type Surroundings } from './maildir-message.ts';
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
  readonly onTrouble?: (error: unknown, mailbox: Mailbox | undefined) => void;
  /**
   * How many octets a mailbox may hold, for all or by mailbox. Who has a full one is refused (452 4.2.2) at RCPT, and a message that does
   * not fit any more after it has come. A number that is not above 0 is a RangeError. Default: no limit.
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
  readonly #surroundings: Surroundings;

  /** @throws RangeError for a quota, a mode or a group that cannot be. */
  constructor(folder: string, options: MaildirOptions = {}) {
    super();
    const { onTrouble = warner(), quota, files = systemFiles } = options;
    const quotas = quota === undefined ? undefined : new Quotas(quota, files);
    const permissions = new Permissions(options, files);
    const maildirs = new Maildirs(folder, files, permissions, options);
    this.#surroundings = { maildirs, files, permissions, quotas, onTrouble };
  }

  /** For the start of a server: makes the folder, and fails with the system's error if no Maildir could be made in it. */
  prepare(): Promise<void> {
    return this.#surroundings.maildirs.prepare();
  }

  validateFrom(): void {}

  validateTo(forwardPath: ForwardPath): void | Promise<void> {
    const { quotas } = this.#surroundings;
    if (quotas !== undefined) return this.#expectRoom(quotas, forwardPath);
  }

  /** Rejects with a Rejection (452 or 451) if there is no recipient for whom anything can be stored. */
  openMessage(envelope: Envelope): Promise<Message> {
    return MaildirMessage.open(envelope, this.#surroundings);
  }

  async #expectRoom(quotas: Quotas, mailbox: Mailbox): Promise<void> {
    const { maildirs, onTrouble } = this.#surroundings;
    try {
      await maildirs.read();
      await quotas.expectRoom(maildirs.mailboxOf(mailbox), maildirs.pathOf(mailbox), 1);
    } catch (error) {
      if (!(error instanceof Rejection)) onTrouble(error, mailbox);
      throw rejectionFor(error);
    }
  }
}

function warner(): (error: unknown) => void {
  const warnings = new Warnings();
  return (error) => warnings.warn('a message was not stored', error);
}
