import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SpoolFailed, SpoolFull } from './errors.ts';
import type { Shares } from './shares.ts';

/** The file functions of a spool: those of `node:fs/promises`, or those of a test. */
export interface SpoolFiles {
  readonly open: (path: string, flags: string, mode: number) => Promise<SpoolFile>;
  readonly unlink: (path: string) => Promise<void>;
}

/** The methods of a file handle that a spool calls. */
export type SpoolFile = Pick<FileHandle, 'read' | 'write' | 'close'>;

/** Where messages wait for their last octet, and how many octets they may have together. */
export interface SpoolOptions {
  readonly directory: string;
  /** Octets in memory and in files, counted by client. */
  readonly shares: Shares;
  readonly files?: SpoolFiles;
}

/** The room in which messages wait for their last octet, before they need a connection. */
export class Spool {
  readonly #options: SpoolOptions;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** @throws SpoolFull if there is no room for these octets. */
  take(keys: readonly string[], octets: number): void {
    if (!this.#options.shares.take(keys, octets)) throw new SpoolFull();
  }

  /** Gives the room for these octets back. */
  give(keys: readonly string[], octets: number): void {
    this.#options.shares.give(keys, octets);
  }

  /**
   * Opens a temporary file without a name. The name goes before the first octet comes, so that a
   * process that dies leaves at most an empty file.
   *
   * @throws SpoolFull if the machine has no room or no descriptor left, else SpoolFailed.
   */
  async openFile(): Promise<SpoolFile> {
    const { directory, files = systemFiles } = this.#options;
    const path = join(directory, `postern-${randomBytes(16).toString('hex')}`);
    const file = await files.open(path, 'wx+', 0o600).catch(throwSpoolError);
    try {
      await files.unlink(path);
    } catch (error) {
      await file.close();
      throwSpoolError(error);
    }
    return file;
  }
}

/** @throws SpoolFull or SpoolFailed, for this error of the file system. */
export function throwSpoolError(cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  throw OUT_OF_ROOM.has(code) ? new SpoolFull({ cause }) : new SpoolFailed({ cause });
}

const systemFiles: SpoolFiles = { open, unlink };
const OUT_OF_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'ENOMEM']);
