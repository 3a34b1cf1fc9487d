import { constants } from 'node:fs';
import type { MaybePromise } from '@postern/core';
import { MailboxInUse } from '@postern/pop3';
import { codeOf, isMissing } from '../file-errors.ts';
import { uniqueName } from '../file-name.ts';
import type { FileSystem } from '../file-system.ts';
import type { Permissions } from '../permissions.ts';
import { formatLockOwner, hasEnded, type LockOwner, parseLockOwner } from './lock-owner.ts';
import type { MailboxFiles } from './prompt-files.ts';

/**
 * The lock of a Maildir against other sessions: the file `postern-pop3.lock`, which names its
 * owner. A lock whose owner has ended is taken over at once. A lock of another machine or container
 * is taken over three minutes after its last refresh.
 *
 * A takeover must have one winner. So the successor of the lock with the nonce N creates the file
 * `postern-pop3.lock.N`, which only one process can, and then replaces the lock. A successor that
 * ends in between is itself a stale owner, whose successor creates `postern-pop3.lock.M`. The owner
 * of the Maildir is the last one of this chain.
 */
export class MailboxLock {
  /** The path of the Maildir. */
  readonly path: string;
  readonly #files: MailboxFiles;
  /** The file system for the refreshes, which no session waits for. */
  readonly #patientFiles: FileSystem;
  readonly #owner: LockOwner;
  /** False as long as this lock has created no file. */
  #mayExist = false;
  /** The guards of takeovers that this lock must remove. */
  readonly #guards = new Set<string>();

  constructor(path: string, { files, patientFiles }: LockFiles, owner: LockOwner) {
    this.path = path;
    this.#files = files;
    this.#patientFiles = patientFiles;
    this.#owner = owner;
  }

  /**
   * Locks the Maildir. After an error the caller calls `release`: the lock may exist.
   *
   * @throws MailboxInUse if another session has locked it
   * @throws the error of the file system
   */
  async take(permissions: Permissions): Promise<void> {
    const staged = `${this.path}/tmp/${uniqueName()}`;
    try {
      await this.#stage(staged, permissions);
      // Without a lock the chain below is empty, and its first step is this one.
      if (!(await this.#create(staged, this.#file))) await this.#takeOver(staged);
    } finally {
      await this.#unlinkQuietly(staged);
    }
  }

  /** Resolves to false if another process has taken the lock over or removed it. */
  async isHeld(): Promise<boolean> {
    const record = await this.#read(this.#file);
    return record?.owner?.nonce === this.#owner.nonce;
  }

  /**
   * Proves to other machines that the owner still runs. A write lets a file server set the time:
   * the clocks of two machines may differ. Resolves to false if the lock is lost.
   */
  async refresh(): Promise<boolean> {
    const handle = await openFile(this.#patientFiles, this.#file, constants.O_RDWR);
    if (handle === undefined) return false;
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(MAX_LOCK_OCTETS), 0, MAX_LOCK_OCTETS, 0);
      const text = buffer.toString('utf8', 0, bytesRead);
      if (parseLockOwner(text)?.nonce !== this.#owner.nonce) return false;
      await handle.write(buffer, 0, bytesRead, 0);
      return true;
    } finally {
      await handle.close();
    }
  }

  /**
   * Unlocks the Maildir, unless another process has taken the lock over. After an error a further
   * call tries again.
   *
   * @throws the error of the file system
   */
  async release(): Promise<void> {
    if (!this.#mayExist) return;
    if (await this.isHeld()) await this.#unlink(this.#file);
    await this.#removeGuards();
  }

  async #takeOver(staged: string): Promise<void> {
    const { mtimeMs: stagedAt } = await this.#files.lstat(staged);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const chain = await this.#chain();
      const last = chain.at(-1);
      if (last?.nonce === this.#owner.nonce) {
        if (chain.length === 1) return;
        await this.#files.rename(staged, this.#file);
        for (const { nonce } of chain.slice(0, -1)) this.#guards.add(this.#guardOf(nonce));
        // Only now: a process that creates a removed guard again sees the new lock.
        await this.#removeGuards();
        return;
      }
      await this.#removeGuards();
      if (last !== undefined && !isStale(last, stagedAt)) throw new MailboxInUse();
      const next = last === undefined ? this.#file : this.#guardOf(last.nonce);
      if (!(await this.#create(staged, next))) continue;
      if (last === undefined) return;
      this.#guards.add(next);
    }
    throw new MailboxInUse();
  }

  /** Writes the lock under another name, so that it appears complete. */
  async #stage(staged: string, permissions: Permissions): Promise<void> {
    const handle = await permissions.applyToFile(await this.#files.open(staged, 'wx', permissions.fileMode));
    try {
      await handle.write(Buffer.from(formatLockOwner(this.#owner)));
    } finally {
      await handle.close();
    }
  }

  /** Resolves to false if the file exists. A file system without hard links gets a copy. */
  async #create(staged: string, path: string): Promise<boolean> {
    try {
      await this.#linkOrCopy(staged, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      // A network file system may fail behind the creation.
      this.#mayExist = true;
      throw error;
    }
    this.#mayExist = true;
    return true;
  }

  async #linkOrCopy(staged: string, path: string): Promise<void> {
    try {
      await this.#files.link(staged, path);
    } catch (error) {
      if (!UNLINKABLE.has(codeOf(error))) throw error;
      await this.#files.copyFile(staged, path, constants.COPYFILE_EXCL);
    }
  }

  /** Reads the lock and the guards of its takeovers. The last one owns the Maildir. */
  async #chain(): Promise<readonly LockRecord[]> {
    const chain: LockRecord[] = [];
    for (let path = this.#file; chain.length < MAX_CHAIN; ) {
      const record = await this.#read(path);
      if (record === undefined) break;
      chain.push(record);
      path = this.#guardOf(record.nonce);
    }
    return chain;
  }

  /** Reads a lock file. Resolves to undefined if it does not exist. Follows no symbolic link. */
  async #read(path: string): Promise<LockRecord | undefined> {
    const handle = await openFile(this.#files, path, constants.O_RDONLY);
    if (handle === undefined) return undefined;
    try {
      const { ino, mtimeMs } = await handle.stat();
      const buffer = Buffer.alloc(MAX_LOCK_OCTETS);
      const { bytesRead } = await handle.read(buffer, 0, MAX_LOCK_OCTETS, 0);
      const owner = parseLockOwner(buffer.toString('utf8', 0, bytesRead));
      return { owner, changedAt: mtimeMs, nonce: owner?.nonce ?? `${ino.toString(16)}-${Math.trunc(mtimeMs)}` };
    } finally {
      await handle.close();
    }
  }

  async #removeGuards(): Promise<void> {
    for (const guard of this.#guards) {
      await this.#unlink(guard);
      this.#guards.delete(guard);
    }
  }

  async #unlink(path: string): Promise<void> {
    try {
      await this.#files.unlink(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #unlinkQuietly(path: string): Promise<void> {
    try {
      await this.#files.unlink(path);
    } catch {}
  }

  #guardOf(nonce: string): string {
    return `${this.#file}.${nonce}`;
  }

  get #file(): string {
    return `${this.path}/${LOCK_NAME}`;
  }
}

/** The file systems of a {@link MailboxLock}. */
export interface LockFiles {
  /** The file system for the login and the logout. */
  readonly files: MailboxFiles;
  /** The file system for the refreshes: their thousands must not block the event loop. */
  readonly patientFiles: FileSystem;
}

/** Opens a file. Resolves to undefined if it does not exist. Follows no symbolic link. */
async function openFile<File>(
  files: { open(path: string, flags: number): MaybePromise<File> },
  path: string,
  access: number,
): Promise<File | undefined> {
  try {
    return await files.open(path, access | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A lock file, as it was read. */
interface LockRecord {
  /** Undefined if the file is damaged. */
  readonly owner: LockOwner | undefined;
  /** The time of the last refresh in milliseconds, by the clock of the file system. */
  readonly changedAt: number;
  /** The nonce of the owner, or a name for this damaged file. */
  readonly nonce: string;
}

/** `now` is a time of the same file system. */
function isStale({ owner, changedAt }: LockRecord, now: number): boolean {
  return now - changedAt > MAX_UNREFRESHED_MS || (owner !== undefined && hasEnded(owner));
}

const LOCK_NAME = 'postern-pop3.lock';
const MAX_LOCK_OCTETS = 1_024;
/** The longest chain of takeovers that ended before their rename. */
const MAX_CHAIN = 16;
const MAX_TRIES = 8;
/** Six times the interval of the refreshes. */
const MAX_UNREFRESHED_MS = 180_000;
/** The errors of `link` on a file system without hard links. */
const UNLINKABLE: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
