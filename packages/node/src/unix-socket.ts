import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { isMainThread } from 'node:worker_threads';

/**
 * Removes the socket file of a server that is gone. A file that is no socket stays, and so does a socket at which somebody answers; to
 * listen there fails then with EADDRINUSE.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  if (path.startsWith('\0')) return;
  const file = await lstat(path).catch(() => undefined);
  if (!file?.isSocket() || (await answers(path))) return;
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/** Does what makes a file, at once, whose permissions are never more than this umask leaves. In a worker thread the process's holds. */
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

/** Nobody answers only if the system says so: a server may be too busy, or not ours to ask. */
function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.on('connect', () => resolve(true));
  probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  return promise.finally(() => probe.destroy());
}
