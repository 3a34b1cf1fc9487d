import type { BufferPool } from '@postern/conversation';
import type { FileSystem } from '../file-system.ts';
import type { Permissions } from '../permissions.ts';
import { listMessages } from './list-messages.ts';
import type { MailboxLock } from './mailbox-lock.ts';
import { MaildirMailbox } from './maildir-mailbox.ts';
import { Measurement } from './measurement.ts';
import type { MessageFile } from './message-file.ts';
import type { MailboxFiles } from './prompt-files.ts';
import { SizeCache } from './size-cache.ts';
import { Turns } from './turns.ts';

/** A Maildir that this process has locked. */
export interface LockedMaildir {
  readonly path: string;
  readonly lock: MailboxLock;
  readonly files: FileSystem;
  readonly promptFiles: MailboxFiles;
  readonly permissions: Permissions;
  readonly buffers: BufferPool;
  /** Receives an error that costs only time. */
  readonly onError: (error: unknown) => void;
  readonly unlock: () => Promise<void>;
}

/**
 * Reads the messages of a locked Maildir. `check` throws if the client has left.
 *
 * @throws the error of the file system
 */
export async function openMailbox(maildir: LockedMaildir, check: () => void): Promise<MaildirMailbox> {
  const { path, files, promptFiles, permissions, lock, buffers } = maildir;
  const turns = new Turns();
  const cache = new SizeCache(path, maildir, permissions);
  const measurement = new Measurement(path, files, turns, check);
  const listed = await listMessages(path, promptFiles, turns);
  check();
  const known = await cache.read(turns);
  const list = await measurement.run(listed, known);
  // Only this boolean stays with the session: the measurement has a buffer of 64 KiB.
  const { isWorthwhile } = measurement;
  return new MaildirMailbox(path, list, {
    files,
    promptFiles,
    lock,
    buffers,
    close: (list) => close(maildir, list, isWorthwhile, cache),
  });
}

/** Writes the cache if that is worthwhile or a cached size is wrong, and unlocks the Maildir. */
async function close(
  { unlock, onError }: LockedMaildir,
  list: readonly MessageFile[],
  isWorthwhile: boolean,
  cache: SizeCache,
): Promise<void> {
  try {
    const kept = list.filter((file) => file.isCacheable);
    if ((isWorthwhile && kept.length > 0) || list.some((file) => file.isChanged)) {
      await cache.write(kept, new Turns());
    }
  } catch (error) {
    onError(error);
  } finally {
    await unlock();
  }
}
