import { dirname } from 'node:path';
import type { MaybePromise } from '@postern/core';
import type { FileSystem } from './file-system.ts';

/** The permissions of the Maildirs, for readers under another user such as Dovecot. */
export interface PermissionsOptions {
  /**
   * The permissions of each file, independent of the umask: `0o660`. A folder has the same ones,
   * and is searchable for each class that may read. Must include `0o600`. Default: `0o600`.
   */
  readonly mode?: number;
  /**
   * The numeric id of the group of each file and folder. Folders are setgid, so that files of other
   * programs get this group as well. Default: the group of the process.
   */
  readonly group?: number;
}

/** A new file that is open. */
interface PermittedFile {
  chown(uid: number, gid: number): MaybePromise<void>;
  chmod(mode: number): MaybePromise<void>;
  close(): MaybePromise<void>;
}

/** Applies permissions to new files and folders. Existing ones keep theirs. */
export class Permissions {
  /** The mode argument for opening a file. */
  readonly fileMode: number;
  /** The mode argument for creating a folder. */
  readonly folderMode: number;
  readonly #isExplicit: boolean;
  readonly #group: number | undefined;
  readonly #files: FileSystem;

  /** @throws RangeError if the mode or the group is not valid. */
  constructor({ mode, group }: PermissionsOptions, files: FileSystem) {
    if (mode !== undefined && !isMode(mode)) {
      throw new RangeError(`mode: expected permissions from 0o600 to 0o777, not ${formatMode(mode)}`);
    }
    if (group !== undefined && !(Number.isInteger(group) && group >= 0 && group < MAX_ID)) {
      throw new RangeError(`group: expected a group's numeric id, not ${group}`);
    }
    this.fileMode = mode ?? OWNER_ONLY;
    // A class that may read a folder needs the right to search it.
    const searchable = this.fileMode | ((this.fileMode & 0o444) >> 2);
    this.folderMode = group === undefined ? searchable : searchable | SETGID;
    this.#isExplicit = mode !== undefined || group !== undefined;
    this.#group = group;
    this.#files = files;
  }

  /** Sets the group and permissions of a new file. Closes the file if that fails. */
  async applyToFile<File extends PermittedFile>(handle: File): Promise<File> {
    if (!this.#isExplicit) return handle;
    try {
      // The group first: changing the group can clear permissions.
      if (this.#group !== undefined) await handle.chown(SAME_OWNER, this.#group);
      await handle.chmod(this.fileMode);
      return handle;
    } catch (error) {
      await closeQuietly(handle);
      throw error;
    }
  }

  /**
   * Sets the group and permissions of new folders: of `last`, and of those above it up to `first`.
   */
  async applyToFolders(first: string, last: string): Promise<void> {
    if (!this.#isExplicit) return;
    for (let folder = last; ; folder = dirname(folder)) {
      if (this.#group !== undefined) await this.#files.chown(folder, SAME_OWNER, this.#group);
      await this.#files.chmod(folder, this.folderMode);
      if (folder === first || folder === dirname(folder)) return;
    }
  }
}

async function closeQuietly(handle: PermittedFile): Promise<void> {
  try {
    await handle.close();
  } catch {}
}

function isMode(mode: number): boolean {
  return Number.isInteger(mode) && mode >= 0 && mode <= 0o777 && (mode & OWNER_ONLY) === OWNER_ONLY;
}

function formatMode(mode: number): string {
  return Number.isInteger(mode) && mode >= 0 ? `0o${mode.toString(8)}` : String(mode);
}

/** Only the owner reads mail by default. */
const OWNER_ONLY = 0o600;
const SETGID = 0o2000;
/** The argument of `chown` that keeps the owner. */
const SAME_OWNER = -1;
const MAX_ID = 2 ** 32 - 1;
