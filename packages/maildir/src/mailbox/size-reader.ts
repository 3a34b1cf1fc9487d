import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { codeOf, isMissing } from '../file-errors.ts';
import type { FileSystem } from '../file-system.ts';
import { systemFiles } from '../file-system.ts';
import { countBareLf, octetsOfEnd } from './line-endings.ts';

/** The sizes of a message in octets: as a client gets it, and as it is stored. */
export interface Sizes {
  readonly octets: number;
  readonly storedOctets: number;
  /** False for an unreadable file: its stored size stands for both. */
  readonly isExact?: boolean;
}

/** Measures message files. Never follows a symbolic link, and never waits for a FIFO. */
export class SizeReader {
  readonly #files: FileSystem;
  readonly #check: () => void;
  /** Made for the first file: most logins find few files that are not in the cache. */
  #buffer: Buffer | undefined;

  /** `check` throws the reason why the sizes are not needed any more. */
  constructor(files: FileSystem, check: () => void) {
    this.#files = files;
    this.#check = check;
  }

  /**
   * Measures a file of at most 64 KiB at once. Five times faster than promises, for files in the
   * page cache. Returns undefined if {@link measure} must do it.
   */
  measureSync(path: string | Buffer): Sizes | undefined {
    if (this.#files !== systemFiles) return undefined;
    let fd: number;
    try {
      fd = openSync(path, READ_ONLY);
    } catch {
      return undefined;
    }
    try {
      this.#buffer ??= Buffer.allocUnsafe(BUFFER_OCTETS);
      const buffer = this.#buffer;
      const storedOctets = readSync(fd, buffer, 0, BUFFER_OCTETS, 0);
      if (storedOctets === BUFFER_OCTETS) return undefined;
      // A read of a FIFO is empty as well.
      if (storedOctets === 0 && !fstatSync(fd).isFile()) return undefined;
      const bareLf = countBareLf(buffer, storedOctets, 0);
      return { octets: storedOctets + bareLf + octetsOfEnd(buffer[storedOctets - 1]), storedOctets };
    } catch {
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Measures a file of any size. Resolves to the stored size alone for an unreadable file, and to
   * undefined for a file that is gone or not regular.
   */
  async measure(path: string | Buffer): Promise<Sizes | undefined> {
    let handle: FileHandle;
    try {
      handle = await this.#files.open(path, READ_ONLY);
    } catch (error) {
      return await this.#measureUnreadable(path, error);
    }
    try {
      return await this.#read(handle);
    } catch (error) {
      this.#check();
      return await this.#measureUnreadable(path, error);
    } finally {
      await handle.close();
    }
  }

  /** Resolves to the size that the folder knows. */
  async #measureUnreadable(path: string | Buffer, error: unknown): Promise<Sizes | undefined> {
    if (isMissing(error) || NO_REGULAR_FILE.has(codeOf(error))) return undefined;
    try {
      const stats = await this.#files.lstat(path);
      return stats.isFile() ? { octets: stats.size, storedOctets: stats.size, isExact: false } : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #read(handle: FileHandle): Promise<Sizes | undefined> {
    const buffer = Buffer.allocUnsafe(BUFFER_OCTETS);
    let [storedOctets, bareLf, previous] = [0, 0, 0];
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, BUFFER_OCTETS, storedOctets);
      if (bytesRead === 0) break;
      storedOctets += bytesRead;
      bareLf += countBareLf(buffer, bytesRead, previous);
      previous = buffer[bytesRead - 1] as number;
      this.#check();
    }
    // A read of a FIFO is empty as well.
    if (storedOctets === 0 && !(await handle.stat()).isFile()) return undefined;
    const last = storedOctets === 0 ? undefined : previous;
    return { octets: storedOctets + bareLf + octetsOfEnd(last), storedOctets };
  }
}

const BUFFER_OCTETS = 64 * 1024;
const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** The errors of a symbolic link, a socket and a device that replaced the file. */
const NO_REGULAR_FILE: ReadonlySet<string> = new Set(['ELOOP', 'ENXIO', 'ENODEV', 'EISDIR']);
