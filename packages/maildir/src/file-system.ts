import * as promises from 'node:fs/promises';

/** The functions of `node:fs/promises` that this package calls. Tests pass their own. */
export type FileSystem = Pick<
  typeof promises,
  | 'access'
  | 'chmod'
  | 'chown'
  | 'copyFile'
  | 'link'
  | 'lstat'
  | 'lutimes'
  | 'mkdir'
  | 'open'
  | 'opendir'
  | 'readlink'
  | 'rename'
  | 'stat'
  | 'symlink'
  | 'unlink'
> & {
  /** Resolves with the names in a folder. */
  readonly readdir: (folder: string) => Promise<string[]>;
};

/** The file system of the machine. */
export const systemFiles: FileSystem = promises;

/** Syncs a folder, so that its names survive a loss of power. */
export async function syncFolder(files: FileSystem, folder: string): Promise<void> {
  // Windows cannot open a folder, and has no call for this.
  if (process.platform === 'win32') return;
  await syncFile(files, folder);
}

/** Syncs a file, so that its content survives a loss of power. */
async function syncFile(files: FileSystem, path: string): Promise<void> {
  const handle = await files.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
