import * as promises from 'node:fs/promises';

/** What a delivery asks of the file system: a few functions of node:fs/promises, or a test's own. */
export type FileSystem = Pick<
  typeof promises,
  'access' | 'chmod' | 'chown' | 'link' | 'mkdir' | 'open' | 'opendir' | 'rename' | 'stat' | 'unlink'
> & {
  /** The names in a folder. */
  readonly readdir: (folder: string) => Promise<string[]>;
};

/** The file system of the machine. */
export const systemFiles: FileSystem = promises;

/** Makes the names in a folder survive a loss of power. */
export async function syncFolder(files: FileSystem, folder: string): Promise<void> {
  // Windows has no such call, and opens no folder.
  if (process.platform === 'win32') return;
  await syncFile(files, folder);
}

/** Makes a file's content survive a loss of power. */
async function syncFile(files: FileSystem, path: string): Promise<void> {
  const handle = await files.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
