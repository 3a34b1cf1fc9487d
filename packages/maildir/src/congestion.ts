import { Rejection } from '@postern/esmtp';
import type { FileSystem } from './file-system.ts';
import { isCongestion } from './trouble.ts';

/** Remembers that file descriptors or memory ran short, until a file can be opened again. */
export class Congestion {
  readonly #folder: string;
  readonly #files: FileSystem;
  #isShort = false;

  constructor(folder: string, files: FileSystem) {
    this.#folder = folder;
    this.#files = files;
  }

  /** Hears of an error of the file system. */
  note(error: unknown): void {
    if (isCongestion(error)) this.#isShort = true;
  }

  /** Returns if a message may come; asks the file system only after a shortage. Rejects with a Rejection (452 4.3.1). */
  expectRoom(): void | Promise<void> {
    if (this.#isShort) return this.#probe();
  }

  async #probe(): Promise<void> {
    try {
      const handle = await this.#files.open(this.#folder, 'r');
      await handle.close();
    } catch (error) {
      if (isCongestion(error)) throw new Rejection(452, '4.3.1', 'Too few resources now');
      // Another error is for the message to meet: it has nothing to do with a shortage.
    }
    this.#isShort = false;
  }
}
