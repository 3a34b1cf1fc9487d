import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/**
 * Removes the socket file of a server that has ended. A file that is not a socket stays, and so
 * does the socket of a running server: listening then fails with EADDRINUSE.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (path.startsWith('\0')) return;
  const file = await lstat(path).catch(() => undefined);
  if (!file?.isSocket() || (await answers(path))) return;
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/**
 * Runs a synchronous function under a umask, so that a new file never has more permissions. A
 * worker thread keeps the process's umask.
 */
export function withUmask(umask: number, work: () => void): void {
  if (!isMainThread) {
    work();
    return;
  }
  const before = process.umask(umask);
  try {
    work();
  } finally {
    process.umask(before);
  }
}

/**
 * Resolves with false only for ECONNREFUSED: after another error a server may be busy, or owned by
 * another user.
 */
function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.on('connect', () => resolve(true));
  probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  return promise.finally(() => probe.destroy());
}
