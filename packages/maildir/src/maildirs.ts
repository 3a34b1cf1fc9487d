import { constants } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Mailbox } from '@postern/esmtp';
import { type FileSystem, syncFolder } from './file-system.ts';
import { folderName } from './folder-name.ts';
import { codeOf } from './trouble.ts';

/** The Maildirs below one folder, made when they are first asked for, and as durable as the messages that go into them. */
export class Maildirs {
  readonly #root: string;
  readonly #files: FileSystem;
  /** The folders that this process has made or found, or is just making: only the first message has to wait for that. */
  readonly #known = new Map<string, Promise<void>>();

  constructor(root: string, files: FileSystem) {
    this.#root = resolve(root);
    this.#files = files;
  }

  /** Where a mailbox's Maildir is, or would be. */
  pathOf(mailbox: Mailbox): string {
    return join(this.#root, folderName(mailbox));
  }

  /** Makes the folder that all are in. Fails with the system's error if that cannot be, or no Maildir could be made there. */
  async prepare(): Promise<void> {
    await this.#once(this.#root, () => this.#makeRoot());
    await this.#files.access(this.#root, constants.W_OK | constants.X_OK);
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
    await this.#once(path, () => this.#make(path));
    return await work();
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
    for (const room of ['tmp', 'new', 'cur']) {
      await this.#files.mkdir(join(path, room), { recursive: true, mode: PRIVATE });
    }
    await syncFolder(this.#files, path);
    await syncFolder(this.#files, this.#root);
  }

  /** With all that is missing above it. */
  async #makeRoot(): Promise<void> {
    const first = await this.#files.mkdir(this.#root, { recursive: true, mode: PRIVATE });
    if (first === undefined) return;
    for (let parent = dirname(this.#root); ; parent = dirname(parent)) {
      await syncFolder(this.#files, parent);
      if (parent === dirname(first) || parent === dirname(parent)) return;
    }
  }
}

/** Mail is its reader's own. */
const PRIVATE = 0o700;

const REMEMBERED = 10_000;
