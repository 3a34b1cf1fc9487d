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

/** The directory and the limits of a spool. */
export interface SpoolOptions {
  readonly directory: string;
  /** The octets in memory and in files, counted by client. */
  readonly shares: Shares;
  readonly files?: SpoolFiles;
}

/** Stores messages until their last octet, so that an unfinished message needs no connection. */
export class Spool {
  readonly #options: SpoolOptions;

  constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Reserves room for octets.
   *
   * @throws SpoolFull without enough room
   */
  take(keys: readonly string[], octets: number): void {
    if (!this.#options.shares.take(keys, octets)) throw new SpoolFull();
  }

  /** Frees the room of these octets. */
  give(keys: readonly string[], octets: number): void {
    this.#options.shares.give(keys, octets);
  }

  /**
   * Opens a temporary file without a name. The name is removed before the first octet is written,
   * so that a crash leaves at most an empty file.
   *
   * @throws SpoolFull if the machine has no room or no descriptor left, else SpoolFailed
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

/** Throws SpoolFull or SpoolFailed for an error of the file system. */
export function throwSpoolError(cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  throw OUT_OF_ROOM.has(code) ? new SpoolFull({ cause }) : new SpoolFailed({ cause });
}

const systemFiles: SpoolFiles = { open, unlink };
const OUT_OF_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'ENOMEM']);
