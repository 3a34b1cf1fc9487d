import { Rejection } from '@postern/esmtp';
import { isShortage } from './file-errors.ts';
import type { FileSystem } from './file-system.ts';

/** Remembers a shortage of file descriptors or memory, until a file can be opened again. */
export class Shortage {
  readonly #folder: string;
  readonly #files: FileSystem;
  #isShort = false;

  constructor(folder: string, files: FileSystem) {
    this.#folder = folder;
    this.#files = files;
  }

  /** Records an error of the file system. */
  note(error: unknown): void {
    if (isShortage(error)) this.#isShort = true;
  }

  /**
   * Probes the file system, but only after a shortage.
   *
   * @throws Rejection (452 4.3.1) while the shortage lasts
   */
  check(): void | Promise<void> {
    if (this.#isShort) return this.#probe();
  }

  async #probe(): Promise<void> {
    try {
      const handle = await this.#files.open(this.#folder, 'r');
      await handle.close();
    } catch (error) {
      if (isShortage(error)) throw new Rejection(452, '4.3.1', 'Too few resources now');
      // Another error is no shortage. The message itself will report it.
    }
    this.#isShort = false;
  }
}
