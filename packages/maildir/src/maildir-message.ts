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
import { type Addressee, addresseesOf } from './addressees.ts';
import { type FileSystem, syncFolder } from './file-system.ts';
import type { Maildirs } from './maildirs.ts';
import type { Permissions } from './permissions.ts';
import { type Quotas, withSize } from './quota.ts';
import { codeOf, rejectionFor } from './trouble.ts';
import { uniqueName } from './unique-name.ts';

/** What all messages of a delivery have around them. */
export interface Surroundings {
  readonly maildirs: Maildirs;
  readonly files: FileSystem;
  readonly permissions: Permissions;
  readonly quotas: Quotas | undefined;
  readonly onTrouble: (error: unknown, mailbox: Mailbox | undefined) => void;
}

/**
 * A message on its way into Maildirs: written once, into the `tmp` of one recipient, and in the end linked into
 * the `new` of each. A Maildir whose message has other fields gets a copy.
 */
export class MaildirMessage implements Message {
  readonly retains = false;
  readonly #surroundings: Surroundings;
  /** The Maildir of each recipient. */
  readonly #addressees: readonly Addressee[];
  /** The Maildir that it is written into. */
  readonly #home: Addressee;
  /** The name that it has there, and, but for its size, everywhere. */
  readonly #name: string;
  readonly #handle: FileHandle;
  readonly #returnPath: string;
  #pending: Uint8Array[] = [];
  #pendingOctets = 0;
  /** Written so far. */
  #octets = 0;

  private constructor(
    { reversePath }: Envelope,
    addressees: readonly Addressee[],
    surroundings: Surroundings,
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
  static async open(envelope: Envelope, surroundings: Surroundings): Promise<Message> {
    const { maildirs, files, permissions, onTrouble } = surroundings;
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
    const { quotas, files, onTrouble } = this.#surroundings;
    const results = new Map<Addressee, RecipientResult>();
    const put = async (addressee: Addressee, place: (target: string) => Promise<void>): Promise<void> => {
      try {
        const { mailbox, path } = addressee;
        await quotas?.expectRoom(mailbox, path, this.#octetsOf(addressee));
        await this.#put(addressee, place);
      } catch (error) {
        if (!(error instanceof Rejection)) onTrouble(error, addressee.mailbox);
        results.set(addressee, rejectionFor(error).reply);
      }
    };
    const others = new Set(this.#addressees);
    others.delete(this.#home);
    await forEachOf([...others], AT_ONCE, (other) => put(other, (target) => this.#link(other, target)));
    // Last, since it moves what the others link to.
    await put(this.#home, (target) => files.rename(this.#tmp, target));
    if (results.has(this.#home)) await this.#remove(this.#tmp);
    return this.#addressees.map((addressee) => results.get(addressee));
  }

  /** Places the message in a Maildir's `new`, for good, or not at all. */
  async #put(addressee: Addressee, place: (target: string) => Promise<void>): Promise<void> {
    const { quotas, maildirs, files } = this.#surroundings;
    const { path } = addressee;
    const name = quotas === undefined ? this.#name : withSize(this.#name, this.#octetsOf(addressee));
    const target = join(path, 'new', name);
    await maildirs.within(path, () => place(target));
    try {
      await syncFolder(files, join(path, 'new'));
    } catch (error) {
      await this.#remove(target);
      throw error;
    }
  }

  async #link(addressee: Addressee, target: string): Promise<void> {
    if (addressee.fields === this.#home.fields) {
      try {
        return await this.#surroundings.files.link(this.#tmp, target);
      } catch (error) {
        if (!NO_LINK.has(codeOf(error))) throw error;
      }
    }
    await this.#copy(addressee, target);
  }

  async #copy({ path, fields }: Addressee, target: string): Promise<void> {
    const { files } = this.#surroundings;
    const tmp = join(path, 'tmp', this.#name);
    try {
      await this.#writeCopy(fields, tmp);
      await files.rename(tmp, target);
    } catch (error) {
      await this.#remove(tmp);
      throw error;
    }
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
    this.#surroundings.onTrouble(error, undefined);
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
    return join(this.#home.path, 'tmp', this.#name);
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

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written)).bytesWritten;
  }
}

/** Copies what lies behind the position. */
async function copyFrom(from: FileHandle, start: number, to: FileHandle): Promise<void> {
  const buffer = new Uint8Array(BUFFER);
  for (let position = start; ; ) {
    const { bytesRead } = await from.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    await writeAll(to, buffer.subarray(0, bytesRead));
  }
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

const BUFFER = 64 * 1024;
const EMPTY = new Uint8Array(0);

/** Recipients served at the same time, each with one open folder. */
const AT_ONCE = 4;

/** Another disk, a file system without hard links, or too many of them: a copy will do. */
const NO_LINK: ReadonlySet<string> = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
