import { type Envelope, type Mailbox, type Message, MessageDelivery } from '@postern/esmtp';
import { type FileSystem, systemFiles } from './file-system.ts';
import { MaildirMessage } from './maildir-message.ts';
import { Maildirs } from './maildirs.ts';

export interface MaildirOptions {
  /** Told what went wrong with a message, for the log: the client hears only that it may try again. */
  readonly onTrouble?: (error: unknown, mailbox: Mailbox | undefined) => void;
  /** By default node:fs/promises. */
  readonly files?: FileSystem;
}

/**
 * Delivers into one Maildir for each recipient, `folder/ann@example.com/{tmp,new,cur}`, made when the first message comes. Takes
 * every recipient; one object may serve all users. A message is on the disk before its `end` resolves.
 */
export class MaildirDelivery extends MessageDelivery {
  readonly #maildirs: Maildirs;
  readonly #files: FileSystem;
  readonly #onTrouble: (error: unknown, mailbox: Mailbox | undefined) => void;

  constructor(folder: string, { onTrouble = () => {}, files = systemFiles }: MaildirOptions = {}) {
    super();
    this.#maildirs = new Maildirs(folder, files);
    this.#files = files;
    this.#onTrouble = onTrouble;
  }

  validateFrom(): void {}

  validateTo(): void {}

  /** Rejects with a Rejection (452 or 451) if there is no recipient for whom anything can be stored. */
  openMessage(envelope: Envelope): Promise<Message> {
    return MaildirMessage.open(envelope, this.#maildirs, this.#files, this.#onTrouble);
  }
}
