import { constants } from 'node:fs';
import { join } from 'node:path';
import type { BufferPool } from '@postern/conversation';
import type { MaybePromise } from '@postern/core';
import { Mailbox, type MessageContent, MessageGone, type MessageInfo } from '@postern/pop3';
import { isMissing } from '../file-errors.ts';
import { sizeIn } from '../file-name.ts';
import { type FileSystem, syncFolder } from '../file-system.ts';
import { MaildirSize } from '../maildir-size.ts';
import { followRenames } from './follow-renames.ts';
import type { MailboxLock } from './mailbox-lock.ts';
import { type MessageFile, pathOf } from './message-file.ts';
import { MessageReader } from './message-reader.ts';
import type { MailboxFiles } from './prompt-files.ts';

/** The objects that a {@link MaildirMailbox} works with. */
export interface MaildirMailboxContext {
  /** The file system for changes, which wait for the disk. */
  readonly files: FileSystem;
  /** The file system for what a login and RETR read. */
  readonly promptFiles: MailboxFiles;
  readonly lock: MailboxLock;
  /** The buffers of the readers of all mailboxes. */
  readonly buffers: BufferPool;
  /** Writes the cache of sizes, if that is worthwhile, and unlocks the Maildir. */
  readonly close: (list: readonly MessageFile[]) => Promise<void>;
}

/**
 * The messages of one Maildir, as they were at the login. The Maildir is locked against other
 * sessions until the disposal. Made by `MaildirMailboxes.open`.
 */
export class MaildirMailbox extends Mailbox implements AsyncDisposable {
  readonly messages: readonly MessageInfo[];
  readonly #path: string;
  readonly #list: readonly MessageFile[];
  readonly #context: MaildirMailboxContext;
  #updating: Promise<void> | undefined;
  /** The files that the Maildir did not have when it was last listed. */
  #absent: ReadonlySet<MessageFile> = new Set();

  /** @internal */
  constructor(path: string, list: readonly MessageFile[], context: MaildirMailboxContext) {
    super();
    this.#path = path;
    this.#list = list;
    this.messages = list;
    this.#context = context;
  }

  /**
   * Opens the file of a message, also if a reader has renamed it since the login.
   *
   * @throws MessageGone if another program has removed the message
   * @throws the error of the file system
   */
  async open(index: number): Promise<MessageContent> {
    const file = this.#at(index);
    if (file.isGone) throw new MessageGone();
    const open = () => this.#context.promptFiles.open(file.pathIn(this.#path), READ_ONLY);
    const handle = await this.#following(file, open);
    if (handle === undefined) throw new MessageGone();
    return new MessageReader(handle, file, this.#context.buffers);
  }

  /**
   * Removes the deleted messages, and moves the retrieved ones to `cur` with the flag `S` (seen).
   * The removals are on the disk when the promise resolves.
   *
   * @throws Error if a message could not be removed. The remaining ones are removed all the same.
   */
  update(deleted: readonly number[], retrieved: readonly number[]): Promise<void> {
    this.#updating = this.#update(deleted, retrieved);
    return this.#updating;
  }

  /** Unlocks the Maildir, behind an update that still runs: it must not meet another session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#updating?.catch(() => {});
    await this.#context.close(this.#list);
  }

  async #update(deleted: readonly number[], retrieved: readonly number[]): Promise<void> {
    const removed = new Set(deleted.map((index) => this.#at(index)));
    const seen = new Set(retrieved.map((index) => this.#at(index)));
    if (removed.size === 0 && seen.size === 0) return;
    if (!(await this.#context.lock.isHeld())) throw new Error('another session has taken the lock of the mailbox over');
    const errors = await this.#remove(removed);
    for (const file of seen) if (!removed.has(file)) await this.#markSeen(file);
    if (errors.length === 0) return;
    throw new Error(`${errors.length} of ${removed.size} messages were not removed`, { cause: errors[0] });
  }

  #at(index: number): MessageFile {
    const file = this.#list[index];
    if (file === undefined) throw new RangeError(`no message has the index ${index}`);
    return file;
  }

  /** Removes files, and records the room that they free. Resolves to the errors. */
  async #remove(removed: ReadonlySet<MessageFile>): Promise<unknown[]> {
    const { files } = this.#context;
    const errors: unknown[] = [];
    const changed = new Set<string>();
    let [octets, messages] = [0, 0];
    for (const file of removed) {
      try {
        const isRemoved = await this.#following(file, async () => {
          await files.unlink(file.pathIn(this.#path));
          return true;
        });
        file.isGone = true;
        if (isRemoved === undefined) continue;
        changed.add(file.subfolder);
        octets += sizeIn(file.name) ?? file.storedOctets;
        messages += 1;
      } catch (error) {
        errors.push(error);
      }
    }
    for (const subfolder of changed) {
      await syncFolder(files, join(this.#path, subfolder)).catch((error: unknown) => errors.push(error));
    }
    if (messages > 0) await MaildirSize.subtract(this.#path, files, { octets, messages });
    return errors;
  }

  /** Marks a message as seen. A failure costs only the mark. */
  async #markSeen(file: MessageFile): Promise<void> {
    const [base = '', flags = ''] = file.name.split(':2,');
    if (file.isGone || (file.subfolder === 'cur' && flags.includes('S'))) return;
    const sorted = Array.from(new Set(`${flags}S`))
      .toSorted()
      .join('');
    const name = `${base}:2,${sorted}`;
    try {
      await this.#context.files.rename(file.pathIn(this.#path), pathOf(join(this.#path, 'cur'), name));
    } catch {}
  }

  /**
   * Runs work on a file. If the file is not there, looks once for its new name, and runs the work
   * again. Resolves to undefined if the file is gone. One listing finds all files that are gone: a
   * program may have removed thousands.
   */
  async #following<T>(file: MessageFile, work: () => MaybePromise<T>): Promise<T | undefined> {
    for (const isLast of [false, true]) {
      try {
        return await work();
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      if (isLast || this.#absent.has(file)) break;
      const present = await followRenames(this.#list, this.#path, this.#context.files);
      this.#absent = new Set(this.#list.filter((known) => !present.has(known)));
    }
    file.isGone = true;
    return undefined;
  }
}

const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
