import * as fs from 'node:fs';
import { promisify } from 'node:util';
import type { MaybePromise } from '@postern/core';
import { type FileSystem, systemFiles } from '../file-system.ts';
import { Pace } from './pace.ts';

/** The functions of a {@link FileSystem} that open a mailbox. A result at once costs no wait. */
export interface MailboxFiles {
  open(path: string | Buffer, flags: string | number, mode?: number): MaybePromise<OpenFile>;
  opendir(path: string, options: fs.OpenDirOptions): MaybePromise<OpenFolder>;
  link(existing: string, path: string): MaybePromise<void>;
  copyFile(from: string, to: string, mode: number): MaybePromise<void>;
  rename(from: string | Buffer, to: string | Buffer): MaybePromise<void>;
  unlink(path: string | Buffer): MaybePromise<void>;
  lstat(path: string | Buffer): MaybePromise<fs.Stats>;
  symlink(target: string, path: string): MaybePromise<void>;
  readlink(path: string): MaybePromise<string>;
  /**
   * Returns the entries of a folder with few names; undefined if `opendir` must list the folder, or
   * report why it cannot. Default: `opendir` lists all folders.
   */
  readonly listSmall?: (path: string) => readonly fs.Dirent[] | undefined;
  /** Returns false for a missing file at a tenth of the cost of an error. Default: unknown. */
  readonly exists?: (path: string) => boolean;
}

/** An open file: a `FileHandle`, or a file whose functions return at once. */
export interface OpenFile {
  read(buffer: Buffer, offset: number, length: number, position: number): MaybePromise<{ readonly bytesRead: number }>;
  write(buffer: Buffer): MaybePromise<unknown>;
  stat(): MaybePromise<fs.Stats>;
  chown(uid: number, gid: number): MaybePromise<void>;
  chmod(mode: number): MaybePromise<void>;
  close(): MaybePromise<void>;
}

/** An open folder. */
export interface OpenFolder {
  /** Returns the next entry; null at the end. */
  read(): MaybePromise<fs.Dirent | null>;
  close(): MaybePromise<void>;
}

/** Returns prompt files for the file system of the machine, and any other file system itself. */
export function promptFilesOf(files: FileSystem): MailboxFiles {
  return files === systemFiles ? new PromptFiles() : files;
}

/**
 * Calls the file system on this thread. A call that the kernel answers from its cache takes 3 to 20
 * µs, and 50 to 300 µs by way of the thread pool. When several calls wait for a slow disk or
 * network, all calls use the thread pool for 10 s: other sessions do not wait.
 */
class PromptFiles implements MailboxFiles {
  readonly #pace = new Pace();

  readonly listSmall = (path: string): readonly fs.Dirent[] | undefined => {
    if (this.#pace.isSlow) return undefined;
    const stats = this.#pace.timed(() => fs.lstatSync(path, NO_ERROR));
    if (stats === undefined || !stats.isDirectory() || stats.size > MAX_SMALL_FOLDER_OCTETS) return undefined;
    return this.#pace.timed(() => fs.readdirSync(path, WITH_TYPES));
  };

  readonly exists = (path: string): boolean => this.#pace.isSlow || this.#pace.timed(() => fs.existsSync(path));

  open(path: string | Buffer, flags: string | number, mode?: number): MaybePromise<OpenFile> {
    if (this.#pace.isSlow) return systemFiles.open(path, flags, mode);
    return this.#pace.timed(() => new PromptFile(fs.openSync(path, flags, mode), this.#pace));
  }

  opendir(path: string, options: fs.OpenDirOptions): MaybePromise<OpenFolder> {
    if (this.#pace.isSlow) return systemFiles.opendir(path, options);
    return this.#pace.timed(() => new PromptFolder(fs.opendirSync(path, options), this.#pace));
  }

  link(existing: string, path: string): MaybePromise<void> {
    if (this.#pace.isSlow) return systemFiles.link(existing, path);
    this.#pace.timed(() => fs.linkSync(existing, path));
  }

  copyFile(from: string, to: string, mode: number): MaybePromise<void> {
    if (this.#pace.isSlow) return systemFiles.copyFile(from, to, mode);
    this.#pace.timed(() => fs.copyFileSync(from, to, mode));
  }

  rename(from: string | Buffer, to: string | Buffer): MaybePromise<void> {
    if (this.#pace.isSlow) return systemFiles.rename(from, to);
    this.#pace.timed(() => fs.renameSync(from, to));
  }

  unlink(path: string | Buffer): MaybePromise<void> {
    if (this.#pace.isSlow) return systemFiles.unlink(path);
    this.#pace.timed(() => fs.unlinkSync(path));
  }

  lstat(path: string | Buffer): MaybePromise<fs.Stats> {
    return this.#pace.isSlow ? systemFiles.lstat(path) : this.#pace.timed(() => fs.lstatSync(path));
  }

  symlink(target: string, path: string): MaybePromise<void> {
    if (this.#pace.isSlow) return systemFiles.symlink(target, path);
    this.#pace.timed(() => fs.symlinkSync(target, path));
  }

  readlink(path: string): MaybePromise<string> {
    return this.#pace.isSlow ? systemFiles.readlink(path) : this.#pace.timed(() => fs.readlinkSync(path));
  }
}

class PromptFile implements OpenFile {
  readonly #fd: number;
  readonly #pace: Pace;

  constructor(fd: number, pace: Pace) {
    this.#fd = fd;
    this.#pace = pace;
  }

  read(buffer: Buffer, offset: number, length: number, position: number): MaybePromise<{ readonly bytesRead: number }> {
    if (this.#pace.isSlow) return readInPool(this.#fd, buffer, offset, length, position);
    return { bytesRead: this.#pace.timed(() => fs.readSync(this.#fd, buffer, offset, length, position)) };
  }

  write(buffer: Buffer): void {
    this.#pace.timed(() => fs.writeSync(this.#fd, buffer));
  }

  stat(): fs.Stats {
    return this.#pace.timed(() => fs.fstatSync(this.#fd));
  }

  chown(uid: number, gid: number): void {
    this.#pace.timed(() => fs.fchownSync(this.#fd, uid, gid));
  }

  chmod(mode: number): void {
    this.#pace.timed(() => fs.fchmodSync(this.#fd, mode));
  }

  close(): void {
    this.#pace.timed(() => fs.closeSync(this.#fd));
  }
}

class PromptFolder implements OpenFolder {
  readonly #folder: fs.Dir;
  readonly #pace: Pace;

  constructor(folder: fs.Dir, pace: Pace) {
    this.#folder = folder;
    this.#pace = pace;
  }

  read(): MaybePromise<fs.Dirent | null> {
    return this.#pace.isSlow ? this.#folder.read() : this.#pace.timed(() => this.#folder.readSync());
  }

  close(): void {
    this.#pace.timed(() => this.#folder.closeSync());
  }
}

const readInPool = promisify(fs.read) as (
  fd: number,
  ...args: readonly [Buffer, number, number, number]
) => Promise<{ readonly bytesRead: number }>;

const NO_ERROR = { throwIfNoEntry: false } as const;
const WITH_TYPES = { withFileTypes: true, encoding: 'latin1' } as const;
/** About 1,000 names on most file systems, which take less than a millisecond. */
const MAX_SMALL_FOLDER_OCTETS = 64 * 1024;
