import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Envelope,
  type Mailbox,
  type Message,
  type RecipientResult,
  Rejection,
  type ReversePath,
} from '@postern/esmtp';
import { type FileSystem, syncFile, syncFolder } from './file-system.ts';
import type { Maildirs } from './maildirs.ts';
import { type Quotas, withSize } from './quota.ts';
import { codeOf, rejectionFor } from './trouble.ts';
import { uniqueName } from './unique-name.ts';

/** What all messages of a delivery have around them. */
export interface Surroundings {
  readonly maildirs: Maildirs;
  readonly files: FileSystem;
  readonly quotas: Quotas | undefined;
  readonly onTrouble: (error: unknown, mailbox: Mailbox | undefined) => void;
}

/** A message on its way into Maildirs: written once, into the `tmp` of one recipient, and in the end linked into the `new` of each. */
export class MaildirMessage implements Message {
  readonly retains = false;
  readonly #envelope: Envelope;
  readonly #maildirs: Maildirs;
  readonly #files: FileSystem;
  readonly #quotas: Quotas | undefined;
  readonly #onTrouble: Surroundings['onTrouble'];
  /** The Maildir that it is written into, and the name that it has there, and, but for its size, everywhere. */
  readonly #home: string;
  readonly #name: string;
  readonly #handle: FileHandle;
  #pending: Uint8Array[] = [];
  #pendingOctets = 0;
  /** Written so far. */
  #octets = 0;

  private constructor(
    envelope: Envelope,
    { maildirs, files, quotas, onTrouble }: Surroundings,
    home: string,
    name: string,
    handle: FileHandle,
  ) {
    this.#envelope = envelope;
    this.#maildirs = maildirs;
    this.#files = files;
    this.#quotas = quotas;
    this.#onTrouble = onTrouble;
    this.#home = home;
    this.#name = name;
    this.#handle = handle;
    this.#keep(Buffer.from(returnPath(envelope.reversePath)));
  }

  /** Opens the file in the Maildir of the first recipient who has, or gets, one. */
  static async open(envelope: Envelope, surroundings: Surroundings): Promise<Message> {
    const { maildirs, files, onTrouble } = surroundings;
    const name = uniqueName();
    const troubles: unknown[] = [];
    for (const { forwardPath } of envelope.recipients) {
      const home = maildirs.pathOf(forwardPath);
      try {
        const handle = await maildirs.within(home, () => files.open(join(home, 'tmp', name), 'wx', PRIVATE));
        return new MaildirMessage(envelope, surroundings, home, name, handle);
      } catch (error) {
        troubles.push(error);
      }
    }
    onTrouble(troubles[0], envelope.recipients[0]?.forwardPath);
    throw rejectionFor(troubles[0]);
  }

  /** Waits for the disk only every 64 KiB. Rejects with a Rejection. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#pendingOctets + chunk.length <= BUFFER) return this.#keep(Buffer.from(chunk));
    return this.#flush(chunk).catch((error: unknown) => this.#refuse(error));
  }

  async end(): Promise<readonly RecipientResult[]> {
    try {
      await this.#flush(EMPTY);
      await this.#handle.sync();
      await this.#handle.close();
    } catch (error) {
      await this.#undo();
      return this.#refuse(error);
    }
    return await this.#deliver();
  }

  async abort(): Promise<void> {
    await this.#undo();
  }

  /** A recipient named twice gets the message once. */
  async #deliver(): Promise<readonly RecipientResult[]> {
    const paths = this.#envelope.recipients.map(({ forwardPath }) => this.#maildirs.pathOf(forwardPath));
    const mailboxes = new Map(
      this.#envelope.recipients.map(({ forwardPath }, index) => [paths[index] ?? '', forwardPath]),
    );
    const results = new Map<string, RecipientResult>();
    const put = async (path: string, place: (target: string) => Promise<void>): Promise<void> => {
      const mailbox = mailboxes.get(path);
      try {
        if (mailbox !== undefined) await this.#quotas?.expectRoom(mailbox, path, this.#octets);
        await this.#put(path, place);
      } catch (error) {
        if (!(error instanceof Rejection)) this.#onTrouble(error, mailbox);
        results.set(path, rejectionFor(error).reply);
      }
    };
    const others = [...mailboxes.keys()].filter((path) => path !== this.#home);
    await forEachOf(others, AT_ONCE, (path) => put(path, (target) => this.#link(path, target)));
    // Last, since it moves what the others link to.
    await put(this.#home, (target) => this.#files.rename(this.#tmp, target));
    if (results.has(this.#home)) await this.#remove(this.#tmp);
    return paths.map((path) => results.get(path));
  }

  /** Places the message in a Maildir's `new`, for good, or not at all. */
  async #put(path: string, place: (target: string) => Promise<void>): Promise<void> {
    const name = this.#quotas === undefined ? this.#name : withSize(this.#name, this.#octets);
    const target = join(path, 'new', name);
    await this.#maildirs.within(path, () => place(target));
    try {
      await syncFolder(this.#files, join(path, 'new'));
    } catch (error) {
      await this.#remove(target);
      throw error;
    }
  }

  async #link(path: string, target: string): Promise<void> {
    try {
      await this.#files.link(this.#tmp, target);
    } catch (error) {
      if (!NO_LINK.has(codeOf(error))) throw error;
      await this.#copy(join(path, 'tmp', this.#name), target);
    }
  }

  async #copy(tmp: string, target: string): Promise<void> {
    try {
      await this.#files.copyFile(this.#tmp, tmp, constants.COPYFILE_EXCL);
      await syncFile(this.#files, tmp);
      await this.#files.rename(tmp, target);
    } catch (error) {
      await this.#remove(tmp);
      throw error;
    }
  }

  #refuse(error: unknown): never {
    this.#onTrouble(error, undefined);
    throw rejectionFor(error);
  }

  #keep(chunk: Uint8Array): void {
    this.#pending.push(chunk);
    this.#pendingOctets += chunk.length;
  }

  /** Writes what is pending, and then the chunk, which is not copied if it comes alone. */
  async #flush(chunk: Uint8Array): Promise<void> {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([...this.#pending, chunk]);
    this.#pending = [];
    this.#pendingOctets = 0;
    this.#octets += bytes.length;
    for (let written = 0; written < bytes.length; ) {
      written += (await this.#handle.write(bytes, written)).bytesWritten;
    }
  }

  async #undo(): Promise<void> {
    // The error that led here is the one to tell of; closing a file twice is none.
    await this.#handle.close().catch(() => {});
    await this.#remove(this.#tmp);
  }

  /** What cannot be removed from `tmp` is no mail: its readers clear it away after 36 hours. */
  async #remove(path: string): Promise<void> {
    await this.#files.unlink(path).catch(() => {});
  }

  get #tmp(): string {
    return join(this.#home, 'tmp', this.#name);
  }
}

/** The reverse-path, as final delivery keeps it (RFC 5321 §4.4). */
function returnPath(reversePath: ReversePath): string {
  return `Return-Path: <${reversePath === null ? '' : reversePath.toString()}>\r\n`;
}

/** Works on all of the items, on a few at once. The work must not reject. */
async function forEachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of rest) await work(item);
    }),
  );
}

/** Mail is its reader's own. */
const PRIVATE = 0o600;

const BUFFER = 64 * 1024;
const EMPTY = new Uint8Array(0);

/** Recipients served at the same time, each with one open folder. */
const AT_ONCE = 4;

/** Another disk, a file system without hard links, or too many of them: a copy will do. */
const NO_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
