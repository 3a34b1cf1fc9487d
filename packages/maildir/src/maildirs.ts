import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { foldMailbox, type Mailbox, withoutSubaddress } from '@postern/esmtp';
import { unfoldedFolders } from './existing-folders.ts';
import { type FileSystem, syncFolder } from './file-system.ts';
import { folderName } from './folder-name.ts';
import type { Permissions } from './permissions.ts';
import { codeOf } from './trouble.ts';

/** Which addresses are one mailbox. */
export interface MailboxOptions {
  /**
   * True if mailboxes whose local parts differ only by case are different ones (RFC 5321 §2.4). Default: false:
   * `Ann@example.com` and `ann@example.com` have one Maildir.
   */
  readonly caseSensitive?: boolean;
  /**
   * The characters that separate a user from a tag, as in `ann+list@example.com` (RFC 5233): such a message goes
   * into the Maildir of `ann@example.com`, with the tag on a `Delivered-To:` field. Empty for none. Default: `+`.
   */
  readonly recipientDelimiter?: string;
}

/** The Maildirs below one folder, made when they are first asked for, and as durable as the messages that go into them. */
export class Maildirs {
  readonly #root: string;
  readonly #files: FileSystem;
  readonly #permissions: Permissions;
  readonly #caseSensitive: boolean;
  readonly #recipientDelimiter: string;
  /** The folders that this process has made or found, or is just making: only the first message has to wait for that. */
  readonly #known = new Map<string, Promise<void>>();
  /** The folders whose names have capitals, by the names that they would have without. */
  #unfolded: ReadonlyMap<string, string> = new Map();
  #reading: Promise<void> | undefined;

  constructor(root: string, files: FileSystem, permissions: Permissions, options: MailboxOptions = {}) {
    this.#root = resolve(root);
    this.#files = files;
    this.#permissions = permissions;
    this.#caseSensitive = options.caseSensitive ?? false;
    this.#recipientDelimiter = options.recipientDelimiter ?? '+';
  }

  /** Returns the mailbox that an address belongs to. */
  mailboxOf(address: Mailbox): Mailbox {
    const mailbox = withoutSubaddress(address, this.#recipientDelimiter);
    return this.#caseSensitive ? mailbox : foldMailbox(mailbox);
  }

  /**
   * Returns where the Maildir of an address is, or would be. {@link read} must have resolved before: it finds
   * the folders whose names have capitals.
   */
  pathOf(address: Mailbox): string {
    const name = folderName(this.mailboxOf(address));
    return join(this.#root, this.#unfolded.get(name) ?? name);
  }

  /** Makes the folder that all are in. Fails with the system's error if that cannot be, or no Maildir could be made there. */
  async prepare(): Promise<void> {
    await this.#once(this.#root, () => this.#makeRoot());
    await this.#files.access(this.#root, constants.W_OK | constants.X_OK);
    await this.read();
  }

  /** Reads the names of the existing folders, once. Fails with the system's error, and then reads again the next time. */
  async read(): Promise<void> {
    if (this.#caseSensitive) return;
    this.#reading ??= this.#readNames();
    const reading = this.#reading;
    try {
      await reading;
    } catch (error) {
      if (this.#reading === reading) this.#reading = undefined;
      throw error;
    }
  }

  /** Does something in the Maildir at the path; does it again in a new one if somebody has taken the known one away. */
  async within<T>(path: string, work: () => Promise<T>): Promise<T> {
    await this.#once(path, () => this.#make(path));
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    this.#known.clear();
    // A folder may have got another name, which later messages must find.
    this.#reading = undefined;
    await this.#once(path, () => this.#make(path));
    return await work();
  }

  async #readNames(): Promise<void> {
    try {
      this.#unfolded = unfoldedFolders(await this.#files.readdir(this.#root));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      this.#unfolded = new Map();
    }
  }

  /** Whoever makes a folder, all who need it wait until it is safe. */
  async #once(path: string, make: () => Promise<void>): Promise<void> {
    const known = this.#known.get(path);
    if (known !== undefined) return await known;

    const making = make();
    // Whoever may send can name new addresses for ever.
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(path, making);
    try {
      await making;
    } catch (error) {
      this.#known.delete(path);
      throw error;
    }
  }

  /** Synced also where it was there before: the process that made it may not have come so far. */
  async #make(path: string): Promise<void> {
    await this.#once(this.#root, () => this.#makeRoot());
    for (const room of ['tmp', 'new', 'cur']) await this.#mkdir(join(path, room));
    await syncFolder(this.#files, path);
    await syncFolder(this.#files, this.#root);
  }

  /** With all that is missing above it. */
  async #makeRoot(): Promise<void> {
    const first = await this.#mkdir(this.#root);
    if (first === undefined) return;
    for (let parent = dirname(this.#root); ; parent = dirname(parent)) {
      await syncFolder(this.#files, parent);
      if (parent === dirname(first) || parent === dirname(parent)) return;
    }
  }

  /** Resolves to the first folder that it has made; undefined if all were there. */
  async #mkdir(path: string): Promise<string | undefined> {
    const first = await this.#files.mkdir(path, { recursive: true, mode: this.#permissions.folderMode });
    if (first !== undefined) await this.#permissions.applyToFolders(first, path);
    return first;
  }
}

const REMEMBERED = 10_000;
