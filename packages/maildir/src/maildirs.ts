import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { foldMailbox, type Mailbox, withoutSubaddress } from '@postern/esmtp';
import { unfoldedFolders } from './existing-folders.ts';
import { codeOf } from './file-errors.ts';
import { type FileSystem, syncFolder } from './file-system.ts';
import { folderName } from './folder-name.ts';
import type { Permissions } from './permissions.ts';

/** The rules by which addresses belong to one mailbox. */
export interface MailboxOptions {
  /**
   * True if local parts that differ only by case are different mailboxes (RFC 5321 §2.4). Default:
   * false: `Ann@example.com` and `ann@example.com` have one Maildir.
   */
  readonly caseSensitive?: boolean;
  /**
   * The characters that separate a user from a tag, as in `ann+list@example.com` (RFC 5233). Such a
   * message goes into the Maildir of `ann@example.com`, with the tag in a `Delivered-To:` field.
   * The empty string disables tags. Default: `+`.
   */
  readonly recipientDelimiter?: string;
}

/**
 * The Maildirs below one folder. The first message creates a Maildir, and syncs it like the message
 * itself.
 */
export class Maildirs {
  readonly #root: string;
  readonly #files: FileSystem;
  readonly #permissions: Permissions;
  readonly #caseSensitive: boolean;
  readonly #recipientDelimiter: string;
  /**
   * The folders that this process has created or found, or is creating. Only the first messages
   * wait.
   */
  readonly #known = new Map<string, Promise<void>>();
  /** The folders whose names have capitals, by their folded names. */
  #unfolded: ReadonlyMap<string, string> = new Map();
  #reading: Promise<void> | undefined;

  constructor(root: string, files: FileSystem, permissions: Permissions, options: MailboxOptions = {}) {
    this.#root = resolve(root);
    this.#files = files;
    this.#permissions = permissions;
    this.#caseSensitive = options.caseSensitive ?? false;
    this.#recipientDelimiter = options.recipientDelimiter ?? '+';
  }

  /** Returns the mailbox of an address. */
  mailboxOf(address: Mailbox): Mailbox {
    const mailbox = withoutSubaddress(address, this.#recipientDelimiter);
    return this.#caseSensitive ? mailbox : foldMailbox(mailbox);
  }

  /**
   * Returns the path of the Maildir of an address, which may not exist yet. Call {@link read}
   * before: it finds the folders whose names have capitals.
   */
  pathOf(address: Mailbox): string {
    const name = folderName(this.mailboxOf(address));
    return join(this.#root, this.#unfolded.get(name) ?? name);
  }

  /**
   * Creates the folder of all Maildirs.
   *
   * @throws the error of the file system if this process cannot create Maildirs there
   */
  async prepare(): Promise<void> {
    await this.#once(this.#root, () => this.#makeRoot());
    await this.#files.access(this.#root, constants.W_OK | constants.X_OK);
    await this.read();
  }

  /**
   * Reads the names of the existing folders once. After an error the next call reads again.
   *
   * @throws the error of the file system
   */
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

  /**
   * Runs work in the Maildir at the path. Creates the Maildir and runs the work again if another
   * program has removed it.
   */
  async within<T>(path: string, work: () => Promise<T>): Promise<T> {
    await this.#once(path, () => this.#make(path));
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    this.#known.clear();
    // Another program may have renamed the folder: read the names again.
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

  /** Creates a folder once. All messages that need it wait until it is synced. */
  async #once(path: string, make: () => Promise<void>): Promise<void> {
    const known = this.#known.get(path);
    if (known !== undefined) return await known;

    const making = make();
    // A sender can name new addresses without end.
    if (this.#known.size >= MAX_KNOWN_FOLDERS) this.#known.clear();
    this.#known.set(path, making);
    try {
      await making;
    } catch (error) {
      this.#known.delete(path);
      throw error;
    }
  }

  /**
   * Syncs the Maildir even if it existed: the process that created it may have crashed before its
   * sync.
   */
  async #make(path: string): Promise<void> {
    await this.#once(this.#root, () => this.#makeRoot());
    for (const name of ['tmp', 'new', 'cur']) await this.#mkdir(join(path, name));
    await syncFolder(this.#files, path);
    await syncFolder(this.#files, this.#root);
  }

  /** Creates the root with all missing folders above it, and syncs them. */
  async #makeRoot(): Promise<void> {
    const first = await this.#mkdir(this.#root);
    if (first === undefined) return;
    for (let parent = dirname(this.#root); ; parent = dirname(parent)) {
      await syncFolder(this.#files, parent);
      if (parent === dirname(first) || parent === dirname(parent)) return;
    }
  }

  /** Creates a folder. Resolves to the first folder created; undefined if all existed. */
  async #mkdir(path: string): Promise<string | undefined> {
    const first = await this.#files.mkdir(path, { recursive: true, mode: this.#permissions.folderMode });
    if (first !== undefined) await this.#permissions.applyToFolders(first, path);
    return first;
  }
}

const MAX_KNOWN_FOLDERS = 10_000;
