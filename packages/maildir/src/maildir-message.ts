import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Envelope, Mailbox, Message, RecipientResult, ReportResult, ReversePath } from '@postern/esmtp';
import { type Addressee, addresseesOf } from './addressees.ts';
import { AllOrNone } from './all-or-none.ts';
import { type FileSystem, syncFolder } from './file-system.ts';
import type { Maildirs } from './maildirs.ts';
import type { Permissions } from './permissions.ts';
import type { Quotas, Reservation } from './quota.ts';
import { codeOf, rejectionFor } from './trouble.ts';
import { uniqueName, withSize } from './unique-name.ts';
import { copyFrom, writeAll } from './write-all.ts';

/** What all messages of a delivery have around them. */
export interface MaildirContext {
  readonly maildirs: Maildirs;
  readonly files: FileSystem;
  readonly permissions: Permissions;
  readonly quotas: Quotas | undefined;
  readonly onError: (error: unknown, mailbox: Mailbox | undefined) => void;
}

/**
 * A message on its way into Maildirs: written once, into the `tmp` of one recipient, in the end linked into the `tmp` of each, and
 * then moved into the `new` of each. A Maildir whose message has other fields gets a copy.
 */
export class MaildirMessage implements Message {
  readonly keepsChunks = false;
  readonly #surroundings: MaildirContext;
  /** The Maildir of each recipient. */
  readonly #addressees: readonly Addressee[];
  /** The Maildir that it is written into. */
  readonly #home: Addressee;
  /** The name that it has there, and, but for its size, everywhere. */
  readonly #name: string;
  readonly #handle: FileHandle;
  readonly #returnPath: string;
  /** Copies of octets that are not written yet. A list of pieces would take a hundred times as much where each has one octet. */
  #pending: Buffer = EMPTY;
  #pendingOctets = 0;
  /** Written so far. */
  #octets = 0;

  private constructor(
    { reversePath }: Envelope,
    addressees: readonly Addressee[],
    surroundings: MaildirContext,
    home: Addressee,
    name: string,
    handle: FileHandle,
  ) {
    this.#surroundings = surroundings;
    this.#addressees = addressees;
    this.#home = home;
    this.#name = name;
    this.#handle = handle;
    this.#returnPath = returnPath(reversePath);
    this.#keep(Buffer.from(this.#returnPath + home.fields));
  }

  /** Opens the file in the Maildir of the first recipient who has, or gets, one. */
  static async open(envelope: Envelope, surroundings: MaildirContext): Promise<Message> {
    const { maildirs, files, permissions, onError } = surroundings;
    const name = uniqueName();
    const troubles: unknown[] = [];
    let addressees: readonly Addressee[] = [];
    try {
      await maildirs.read();
      addressees = addresseesOf(envelope.recipients, maildirs);
    } catch (error) {
      troubles.push(error);
    }
    for (const home of plainFirst(addressees)) {
      try {
        const open = () => files.open(join(home.path, 'tmp', name), 'wx', permissions.fileMode);
        const handle = await maildirs.within(home.path, open);
        await permissions.applyToFile(handle);
        return new MaildirMessage(envelope, addressees, surroundings, home, name, handle);
      } catch (error) {
        troubles.push(error);
        await files.unlink(join(home.path, 'tmp', name)).catch(() => {});
      }
    }
    onError(troubles[0], envelope.recipients[0]?.forwardPath);
    throw rejectionFor(troubles[0]);
  }

  /** Waits for the disk only every 64 KiB. Rejects with a Rejection. */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#pendingOctets + chunk.length <= BUFFER) return this.#keep(chunk);
    return this.#flush(chunk).catch((error: unknown) => this.#refuse(error));
  }

  /** Without `tell` the client hears one reply for all recipients: then all have the message, or none. */
  async end(tell?: ReportResult): Promise<readonly RecipientResult[]> {
    try {
      await this.#flush(EMPTY);
      await this.#handle.sync();
      await this.#handle.close();
    } catch (error) {
      await this.#undo();
      return this.#refuse(error);
    }
    return await this.#deliver(tell === undefined);
  }

  async abort(): Promise<void> {
    await this.#undo();
  }

  /** A recipient named twice gets the message once. */
  async #deliver(together: boolean): Promise<readonly RecipientResult[]> {
    const { quotas, files, maildirs, onError } = this.#surroundings;
    const copies = [...new Set(this.#addressees)];
    const reservations = new Map<Addressee, Reservation>();
    const delivery = new AllOrNone(copies, together, (error, { mailbox }) => onError(error, mailbox));
    // Nothing is in a `new` before everything is on the disk, and has room.
    await delivery.step(async (copy) => {
      if (copy !== this.#home) await maildirs.within(copy.path, () => this.#stage(copy));
    });
    if (quotas !== undefined) {
      await delivery.step(async (copy) => {
        reservations.set(copy, await quotas.reserve(copy.mailbox, copy.path, this.#octetsOf(copy)));
      });
    }
    await delivery.step((copy) => files.rename(this.#tmpOf(copy), this.#targetOf(copy)));
    await delivery.step(({ path }) => syncFolder(files, join(path, 'new')));
    const lost = new Set(delivery.lost);
    for (const copy of copies) {
      const reservation = reservations.get(copy);
      if (!lost.has(copy)) reservation?.keep();
      else await this.#withdraw(copy, reservation);
    }
    return this.#addressees.map((copy) => delivery.resultOf(copy));
  }

  /** Links or copies the message into the `tmp` of another Maildir. */
  async #stage(copy: Addressee): Promise<void> {
    if (copy.fields === this.#home.fields) {
      try {
        return await this.#surroundings.files.link(this.#tmp, this.#tmpOf(copy));
      } catch (error) {
        if (!NO_LINK.has(codeOf(error))) throw error;
      }
    }
    await this.#writeCopy(copy.fields, this.#tmpOf(copy));
  }

  /** What a reader has taken out of `new` meanwhile stays: a duplicate is better than a loss. */
  async #withdraw(copy: Addressee, reservation: Reservation | undefined): Promise<void> {
    await this.#remove(this.#targetOf(copy));
    await this.#remove(this.#tmpOf(copy));
    await reservation?.release().catch((error: unknown) => this.#surroundings.onError(error, copy.mailbox));
  }

  /** Writes and syncs the message with other fields. */
  async #writeCopy(fields: string, tmp: string): Promise<void> {
    const { files, permissions } = this.#surroundings;
    const copy = await permissions.applyToFile(await files.open(tmp, 'wx', permissions.fileMode));
    try {
      const from = await files.open(this.#tmp, 'r');
      try {
        const start = Buffer.byteLength(this.#returnPath + this.#home.fields);
        await writeAll(copy, Buffer.from(this.#returnPath + fields));
        await copyFrom(from, start, copy);
      } finally {
        await from.close();
      }
      await copy.sync();
    } finally {
      await copy.close();
    }
  }

  #octetsOf({ fields }: Addressee): number {
    return this.#octets + Buffer.byteLength(fields) - Buffer.byteLength(this.#home.fields);
  }

  #refuse(error: unknown): never {
    this.#surroundings.onError(error, undefined);
    throw rejectionFor(error);
  }

  #keep(chunk: Uint8Array): void {
    const length = this.#pendingOctets + chunk.length;
    if (length > this.#pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#pending.length, length, SMALL_BUFFER));
      this.#pending.copy(larger, 0, 0, this.#pendingOctets);
      this.#pending = larger;
    }
    this.#pending.set(chunk, this.#pendingOctets);
    this.#pendingOctets = length;
  }

  /** Writes what is pending, and then the chunk, which is not copied if it comes alone. */
  async #flush(chunk: Uint8Array): Promise<void> {
    const pending = this.#pending.subarray(0, this.#pendingOctets);
    this.#pending = EMPTY;
    this.#pendingOctets = 0;
    const bytes = pending.length === 0 ? chunk : chunk.length === 0 ? pending : Buffer.concat([pending, chunk]);
    this.#octets += bytes.length;
    await writeAll(this.#handle, bytes);
  }

  async #undo(): Promise<void> {
    // The error that led here is the one to tell of; closing a file twice is none.
    await this.#handle.close().catch(() => {});
    await this.#remove(this.#tmp);
  }

  /** What cannot be removed from `tmp` is no mail: its readers clear it away after 36 hours. */
  async #remove(path: string): Promise<void> {
    await this.#surroundings.files.unlink(path).catch(() => {});
  }

  get #tmp(): string {
    return this.#tmpOf(this.#home);
  }

  #tmpOf({ path }: Addressee): string {
    return join(path, 'tmp', this.#name);
  }

  #targetOf(copy: Addressee): string {
    const { quotas } = this.#surroundings;
    return join(copy.path, 'new', quotas === undefined ? this.#name : withSize(this.#name, this.#octetsOf(copy)));
  }
}

/** The reverse-path, as final delivery keeps it (RFC 5321 §4.4). */
function returnPath(reversePath: ReversePath): string {
  return `Return-Path: <${reversePath === null ? '' : reversePath.toString()}>\r\n`;
}

/** The Maildirs to try, one after the other: first those whose copy most others can be links to. */
function plainFirst(addressees: readonly Addressee[]): readonly Addressee[] {
  const all = [...new Set(addressees)];
  const plain = all.filter(({ fields }) => fields === '');
  return plain.length === 0 || plain.length === all.length
    ? all
    : [...plain, ...all.filter(({ fields }) => fields !== '')];
}

/** Octets that wait for one write, at most. */
const BUFFER = 64 * 1024;
const SMALL_BUFFER = 1024;
const EMPTY = Buffer.alloc(0);

/** Another disk, a file system without hard links, or too many of them: a copy will do. */
const NO_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
