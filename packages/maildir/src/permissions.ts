import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileSystem } from './file-system.ts';

/** Who else may read the Maildirs: a Dovecot under another user, for example. */
export interface PermissionsOptions {
  /**
   * The permissions of each file, whatever the umask: `0o660`. A folder has them too, with the right to
   * search for each class that may read. Default: `0o600`. A number that is none, or without `0o600`, is a
   * RangeError.
   */
  readonly mode?: number;
  /**
   * The numeric id of the group of each file and folder. Folders are setgid, so that what another program
   * makes in them has this group, too. Default: the process's own. A number that is none is a RangeError.
   */
  readonly group?: number;
}

/** Applies permissions to new files and folders; those that exist keep what they have. */
export class Permissions {
  /** What a file is opened with. */
  readonly fileMode: number;
  /** What a folder is made with. */
  readonly folderMode: number;
  readonly #isExplicit: boolean;
  readonly #group: number | undefined;
  readonly #files: FileSystem;

  /** @throws RangeError for a mode or a group that cannot be. */
  constructor({ mode, group }: PermissionsOptions, files: FileSystem) {
    if (mode !== undefined && !isMode(mode)) {
      throw new RangeError(`mode: expected permissions from 0o600 to 0o777, not ${formatMode(mode)}`);
    }
    if (group !== undefined && !(Number.isInteger(group) && group >= 0 && group < MAX_ID)) {
      throw new RangeError(`group: expected a group's numeric id, not ${group}`);
    }
    this.fileMode = mode ?? PRIVATE;
    // Where a class may read, it may search.
    const searchable = this.fileMode | ((this.fileMode & 0o444) >> 2);
    this.folderMode = group === undefined ? searchable : searchable | SETGID;
    this.#isExplicit = mode !== undefined || group !== undefined;
    this.#group = group;
    this.#files = files;
  }

  /** Gives a new file its group and permissions, and closes it if that fails. */
  async applyToFile(handle: FileHandle): Promise<FileHandle> {
    if (!this.#isExplicit) return handle;
    try {
      // The group first: a change of group can take permissions away.
      if (this.#group !== undefined) await handle.chown(SAME, this.#group);
      await handle.chmod(this.fileMode);
      return handle;
    } catch (error) {
      await handle.close().catch(() => {});
      throw error;
    }
  }

  /** Gives new folders their group and permissions: `last`, and those above it up to `first`. */
  async applyToFolders(first: string, last: string): Promise<void> {
    if (!this.#isExplicit) return;
    for (let folder = last; ; folder = dirname(folder)) {
      if (this.#group !== undefined) await this.#files.chown(folder, SAME, this.#group);
      await this.#files.chmod(folder, this.folderMode);
      if (folder === first || folder === dirname(folder)) return;
    }
  }
}

function isMode(mode: number): boolean {
  return Number.isInteger(mode) && mode >= 0 && mode <= 0o777 && (mode & PRIVATE) === PRIVATE;
}

function formatMode(mode: number): string {
  return Number.isInteger(mode) && mode >= 0 ? `0o${mode.toString(8)}` : String(mode);
}

/** By default mail is its reader's own. */
const PRIVATE = 0o600;
const SETGID = 0o2000;
/** The owner of a file stays who it is. */
const SAME = -1;
const MAX_ID = 2 ** 32 - 1;
