import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Envelope, Mailbox, Message, RecipientResult, ReportResult, ReversePath } from '@postern/esmtp';
import { type Addressee, addresseesOf } from './addressees.ts';
import { AllOrNone } from './all-or-none.ts';
import { codeOf, rejectionFor } from './file-errors.ts';
import { uniqueName, withSize } from './file-name.ts';
import { type FileSystem, syncFolder } from './file-system.ts';
import type { Maildirs } from './maildirs.ts';
import type { Permissions } from './permissions.ts';
import type { Quotas, Reservation } from './quota.ts';
import { copyFrom, writeAll } from './write-all.ts';

/** The objects that all messages of one delivery share. */
export interface MaildirContext {
  readonly maildirs: Maildirs;
  readonly files: FileSystem;
  readonly permissions: Permissions;
  readonly quotas: Quotas | undefined;
  readonly onError: (error: unknown, mailbox: Mailbox | undefined) => void;
}

/**
 * One message for one or more Maildirs. Its octets are written once, into the `tmp` of the first
 * Maildir. At the end the file is linked into the `tmp` of the others, and then renamed into each
 * `new`. A Maildir whose message has other header fields gets a copy.
 */
export class MaildirMessage implements Message {
  readonly keepsChunks = false;
  readonly #context: MaildirContext;
  /** The Maildir of each recipient. */
  readonly #addressees: readonly Addressee[];
  /** The Maildir that receives the octets first. */
  readonly #first: Addressee;
  /** The name of the file in each Maildir, without its size. */
  readonly #name: string;
  readonly #handle: FileHandle;
  readonly #returnPath: string;
  /**
   * A buffer of octets to write. A list of pieces of one octet each would need a hundred times the
   * memory.
   */
  #pending: Buffer = NO_OCTETS;
  #pendingOctets = 0;
  /** The size of each finished file in octets, as the file system reports it. Used by quotas. */
  readonly #sizes = new Map<Addressee, number>();

  private constructor(
    { reversePath }: Envelope,
    addressees: readonly Addressee[],
    context: MaildirContext,
    first: Addressee,
    name: string,
    handle: FileHandle,
  ) {
    this.#context = context;
    this.#addressees = addressees;
    this.#first = first;
    this.#name = name;
    this.#handle = handle;
    this.#returnPath = returnPath(reversePath);
    this.#keep(Buffer.from(this.#returnPath + first.fields));
  }

  /**
   * Opens the file in the first usable Maildir of the recipients.
   *
   * @throws Rejection if no Maildir is usable
   */
  static async open(envelope: Envelope, context: MaildirContext): Promise<Message> {
    const { maildirs, files, permissions, onError } = context;
    const name = uniqueName();
    const errors: unknown[] = [];
    let addressees: readonly Addressee[] = [];
    try {
      await maildirs.read();
      addressees = addresseesOf(envelope.recipients, maildirs);
    } catch (error) {
      errors.push(error);
    }
    for (const first of byPlainFields(addressees)) {
      try {
        const open = () => files.open(join(first.path, 'tmp', name), 'wx', permissions.fileMode);
        const handle = await maildirs.within(first.path, open);
        await permissions.applyToFile(handle);
        return new MaildirMessage(envelope, addressees, context, first, name, handle);
      } catch (error) {
        errors.push(error);
        await files.unlink(join(first.path, 'tmp', name)).catch(() => {});
      }
    }
    onError(errors[0], envelope.recipients[0]?.forwardPath);
    throw rejectionFor(errors[0]);
  }

  /**
   * Buffers the chunk, and writes after each 64 KiB.
   *
   * @throws Rejection if the file system fails
   */
  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#pendingOctets + chunk.length <= MAX_BUFFER_OCTETS) return this.#keep(chunk);
    return this.#flush(chunk).catch((error: unknown) => this.#refuse(error));
  }

  /**
   * Delivers the message. Without `report` there is one reply for all recipients: then all get the
   * message, or none.
   */
  async end(report?: ReportResult): Promise<readonly RecipientResult[]> {
    try {
      await this.#flush(NO_OCTETS);
      await this.#handle.sync();
      if (this.#context.quotas !== undefined) this.#sizes.set(this.#first, (await this.#handle.stat()).size);
      await this.#handle.close();
    } catch (error) {
      await this.#undo();
      return this.#refuse(error);
    }
    return await this.#deliver(report === undefined);
  }

  async abort(): Promise<void> {
    await this.#undo();
  }

  /** Delivers one copy into each Maildir, although a recipient may be named twice. */
  async #deliver(together: boolean): Promise<readonly RecipientResult[]> {
    const { quotas, files, maildirs, onError } = this.#context;
    const copies = [...new Set(this.#addressees)];
    const reservations = new Map<Addressee, Reservation>();
    const delivery = new AllOrNone(copies, together, (error, { mailbox }) => onError(error, mailbox));
    // No copy is renamed into `new` before all copies are on the disk and have room.
    await delivery.step(async (copy) => {
      if (copy !== this.#first) await maildirs.within(copy.path, () => this.#stage(copy));
    });
    if (quotas !== undefined) {
      await delivery.step(async (copy) => {
        reservations.set(copy, await quotas.reserve(copy.mailbox, copy.path, this.#octetsOf(copy)));
      });
    }
    await delivery.step((copy) => files.rename(this.#tmpOf(copy), this.#targetOf(copy)));
    await delivery.step(({ path }) => syncFolder(files, join(path, 'new')));
    const lost = new Set(delivery.failed);
    for (const copy of copies) {
      const reservation = reservations.get(copy);
      if (!lost.has(copy)) reservation?.keep();
      else await this.#discardCopy(copy, reservation);
    }
    return this.#addressees.map((copy) => delivery.resultOf(copy));
  }

  /** Links or copies the message into the `tmp` of another Maildir. */
  async #stage(copy: Addressee): Promise<void> {
    if (copy.fields === this.#first.fields) {
      try {
        await this.#context.files.link(this.#tmp, this.#tmpOf(copy));
        this.#sizes.set(copy, this.#octetsOf(this.#first));
        return;
      } catch (error) {
        if (!UNLINKABLE.has(codeOf(error))) throw error;
      }
    }
    this.#sizes.set(copy, await this.#writeCopy(copy.fields, this.#tmpOf(copy)));
  }

  /**
   * Removes a copy. A copy that a reader has moved out of `new` stays: a duplicate is better than a
   * loss.
   */
  async #discardCopy(copy: Addressee, reservation: Reservation | undefined): Promise<void> {
    await this.#remove(this.#targetOf(copy));
    await this.#remove(this.#tmpOf(copy));
    await reservation?.release().catch((error: unknown) => this.#context.onError(error, copy.mailbox));
  }

  /** Writes and syncs a copy with other header fields. Resolves to its size in octets. */
  async #writeCopy(fields: string, tmp: string): Promise<number> {
    const { files, permissions } = this.#context;
    const copy = await permissions.applyToFile(await files.open(tmp, 'wx', permissions.fileMode));
    try {
      const from = await files.open(this.#tmp, 'r');
      try {
        const start = Buffer.byteLength(this.#returnPath + this.#first.fields);
        await writeAll(copy, Buffer.from(this.#returnPath + fields));
        await copyFrom(from, start, copy);
      } finally {
        await from.close();
      }
      await copy.sync();
      return (await copy.stat()).size;
    } finally {
      await copy.close();
    }
  }

  /**
   * Returns the size of a finished file. A wrong `S=` in its name makes Dovecot fail at each login
   * to the mailbox.
   */
  #octetsOf(copy: Addressee): number {
    return this.#sizes.get(copy) ?? 0;
  }

  #refuse(error: unknown): never {
    this.#context.onError(error, undefined);
    throw rejectionFor(error);
  }

  #keep(chunk: Uint8Array): void {
    const length = this.#pendingOctets + chunk.length;
    if (length > this.#pending.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.#pending.length, length, MIN_BUFFER_OCTETS));
      this.#pending.copy(larger, 0, 0, this.#pendingOctets);
      this.#pending = larger;
    }
    this.#pending.set(chunk, this.#pendingOctets);
    this.#pendingOctets = length;
  }

  /** Writes the buffer and then the chunk. A chunk without a buffer before it is not copied. */
  async #flush(chunk: Uint8Array): Promise<void> {
    const pending = this.#pending.subarray(0, this.#pendingOctets);
    this.#pending = NO_OCTETS;
    this.#pendingOctets = 0;
    const bytes = pending.length === 0 ? chunk : chunk.length === 0 ? pending : Buffer.concat([pending, chunk]);
    await writeAll(this.#handle, bytes);
  }

  async #undo(): Promise<void> {
    // The first error is the one to report. Closing a closed file is no error here.
    await this.#handle.close().catch(() => {});
    await this.#remove(this.#tmp);
  }

  /** Removes a file. A file that stays in `tmp` is no mail: readers remove it after 36 hours. */
  async #remove(path: string): Promise<void> {
    await this.#context.files.unlink(path).catch(() => {});
  }

  get #tmp(): string {
    return this.#tmpOf(this.#first);
  }

  #tmpOf({ path }: Addressee): string {
    return join(path, 'tmp', this.#name);
  }

  #targetOf(copy: Addressee): string {
    const { quotas } = this.#context;
    return join(copy.path, 'new', quotas === undefined ? this.#name : withSize(this.#name, this.#octetsOf(copy)));
  }
}

/** Returns the field with the reverse-path that final delivery adds (RFC 5321 §4.4). */
function returnPath(reversePath: ReversePath): string {
  return `Return-Path: <${reversePath === null ? '' : reversePath.toString()}>\r\n`;
}

/**
 * Orders the Maildirs: first those without fields of their own, to whose file most others can link.
 */
function byPlainFields(addressees: readonly Addressee[]): readonly Addressee[] {
  const all = [...new Set(addressees)];
  const plain = all.filter(({ fields }) => fields === '');
  return plain.length === 0 || plain.length === all.length
    ? all
    : [...plain, ...all.filter(({ fields }) => fields !== '')];
}

/** The most octets of one write. */
const MAX_BUFFER_OCTETS = 64 * 1024;
const MIN_BUFFER_OCTETS = 1024;
const NO_OCTETS = Buffer.alloc(0);

/**
 * The errors of `link` after which a copy succeeds: another disk, no hard links, or too many of
 * them.
 */
const UNLINKABLE: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
