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
import { Maildirs } from './maildirs.ts';
import { type Quota, Quotas } from './quota.ts';
import { rejectionFor } from './trouble.ts';

/** How much Maildirs may hold, and who hears of trouble with them. */
export interface MaildirOptions {
  /** Told what went wrong with a message, for the log: the client hears only that it may try again. */
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

  constructor(folder: string, { onTrouble = () => {}, quota, files = systemFiles }: MaildirOptions = {}) {
    super();
    const quotas = quota === undefined ? undefined : new Quotas(quota, files);
    this.#surroundings = { maildirs: new Maildirs(folder, files), files, quotas, onTrouble };
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
      await quotas.expectRoom(mailbox, maildirs.pathOf(mailbox), 1);
    } catch (error) {
      if (!(error instanceof Rejection)) onTrouble(error, mailbox);
      throw rejectionFor(error);
    }
  }
}
