import { constants } from 'node:fs';
import { after, type MaybePromise, settled } from '@postern/core';
import { MailboxInUse } from '@postern/pop3';
import { codeOf, isMissing } from '../file-errors.ts';
import { uniqueName } from '../file-name.ts';
import type { FileSystem } from '../file-system.ts';
import type { Permissions } from '../permissions.ts';
import { hasEnded, type LockOwner, parseLockOwner } from './lock-owner.ts';
import type { MailboxFiles, OpenFile } from './prompt-files.ts';

/**
 * The lock of a Maildir against other sessions: the symbolic link `postern-pop3.lock`, whose target
 * names its owner. One call creates it with its content, and one reads it. A file system without
 * symbolic links gets a file with the same text. A lock whose owner has ended is taken over at
 * once. A lock of another machine or container is taken over three minutes after its last refresh.
 *
 * A takeover must have one winner. So the successor of the lock with the nonce N creates the link
 * `postern-pop3.lock.N`, which only one process can, and then replaces the lock. A successor that
 * ends in between is itself a stale owner, whose successor creates `postern-pop3.lock.M`. The owner
 * of the Maildir is the last one of this chain.
 */
export class MailboxLock {
  /** The path of the Maildir. */
  readonly path: string;
  readonly #context: LockContext;
  readonly #text: string;
  /** False as long as this lock has created nothing. */
  #mayExist = false;
  /** The guards of takeovers that this lock must remove. Created by the first one. */
  #guards: Set<string> | undefined;

  /** `text` names the owner, as `LockOwners.next` returns it. */
  constructor(path: string, context: LockContext, text: string) {
    this.path = path;
    this.#context = context;
    this.#text = text;
  }

  /**
   * Locks the Maildir. After an error the caller calls `release`: the lock may exist.
   *
   * @throws MailboxInUse if another session has locked it
   * @throws the error of the file system
   */
  take(): MaybePromise<void> {
    // Without a lock the chain of a takeover is empty, and its first step is this one.
    return after(this.#create(this.#file), (isCreated) => (isCreated ? undefined : this.#takeOver()));
  }

  /** Resolves to false if another process has taken the lock over or removed it. */
  isHeld(): MaybePromise<boolean> {
    return after(this.#readText(this.#file), (text) => text === this.#text);
  }

  /**
   * Proves to other machines that the owner still runs. The file system sets the time: the clocks
   * of two machines may differ. Resolves to false if the lock is lost.
   */
  async refresh(): Promise<boolean> {
    const { patientFiles } = this.#context;
    return await new MailboxLock(this.path, { ...this.#context, files: patientFiles }, this.#text).#touch();
  }

  /**
   * Unlocks the Maildir, unless another process has taken the lock over. After an error a further
   * call tries again.
   *
   * @throws the error of the file system
   */
  release(): MaybePromise<void> {
    if (!this.#mayExist) return;
    const unlocked = after(this.isHeld(), (isHeld) => (isHeld ? this.#unlink(this.#file) : undefined));
    return this.#guards === undefined ? unlocked : after(unlocked, () => this.#removeGuards());
  }

  async #touch(): Promise<boolean> {
    if (!(await this.isHeld())) return false;
    const probe = await this.#stage();
    try {
      const { atime, mtime } = await this.#files.lstat(probe);
      // If another process takes the lock over meanwhile, its lock is fresh as well.
      return await setTimes(this.#context.patientFiles, this.#file, atime, mtime);
    } finally {
      await this.#unlinkQuietly(probe);
    }
  }

  async #takeOver(): Promise<void> {
    const staged = await this.#stage();
    try {
      const { mtimeMs: stagedAt } = await this.#files.lstat(staged);
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const chain = await this.#chain();
        const last = chain.at(-1);
        if (last?.nonce === this.#nonce) {
          if (chain.length === 1) return;
          await this.#files.rename(staged, this.#file);
          for (const { nonce } of chain.slice(0, -1)) this.#addGuard(this.#guardOf(nonce));
          // Only now: a process that creates a removed guard again sees the new lock.
          await this.#removeGuards();
          return;
        }
        await this.#removeGuards();
        if (last !== undefined && !isStale(last, stagedAt)) throw new MailboxInUse();
        const next = last === undefined ? this.#file : this.#guardOf(last.nonce);
        if (!(await this.#create(next))) continue;
        if (last === undefined) return;
        this.#addGuard(next);
      }
      throw new MailboxInUse();
    } finally {
      await this.#unlinkQuietly(staged);
    }
  }

  /** Creates the lock under another name. Resolves to its path. */
  async #stage(): Promise<string> {
    const staged = this.#stagedPath();
    try {
      await this.#files.symlink(this.#text, staged);
    } catch (error) {
      if (!UNSUPPORTED.has(codeOf(error))) throw error;
      await this.#writeFile(staged);
    }
    return staged;
  }

  async #writeFile(staged: string): Promise<void> {
    const { permissions } = this.#context;
    const handle = await permissions.applyToFile(await this.#files.open(staged, 'wx', permissions.fileMode));
    try {
      await handle.write(Buffer.from(`${this.#text}\n`));
    } finally {
      await handle.close();
    }
  }

  #stagedPath(): string {
    return `${this.path}/tmp/${uniqueName()}`;
  }

  /** Resolves to false if the path exists. */
  #create(path: string): MaybePromise<boolean> {
    return settled(
      () => this.#files.symlink(this.#text, path),
      () => {
        this.#mayExist = true;
        return true;
      },
      (error) => (UNSUPPORTED.has(codeOf(error)) ? this.#createFile(path) : this.#isNew(error)),
    );
  }

  /** Returns false for the error of a path that exists. */
  #isNew(error: unknown): false {
    if (codeOf(error) === 'EEXIST') return false;
    // A network file system may fail behind the creation.
    this.#mayExist = true;
    throw error;
  }

  /** Creates a file that appears complete. A file system without hard links gets a copy. */
  async #createFile(path: string): Promise<boolean> {
    const staged = this.#stagedPath();
    try {
      await this.#writeFile(staged);
      await this.#linkOrCopy(staged, path);
      this.#mayExist = true;
      return true;
    } catch (error) {
      return this.#isNew(error);
    } finally {
      await this.#unlinkQuietly(staged);
    }
  }

  async #linkOrCopy(staged: string, path: string): Promise<void> {
    try {
      await this.#files.link(staged, path);
    } catch (error) {
      if (!UNSUPPORTED.has(codeOf(error))) throw error;
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

  /** Reads a lock. Resolves to undefined if it does not exist. */
  async #read(path: string): Promise<LockRecord | undefined> {
    try {
      const owner = parseLockOwner((await this.#readText(path)) ?? '');
      // Behind the text: a lock that has been replaced in between is younger.
      const { ino, mtimeMs } = await this.#files.lstat(path);
      return { owner, changedAt: mtimeMs, nonce: owner?.nonce ?? `${ino.toString(16)}-${Math.trunc(mtimeMs)}` };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Resolves to the text of a lock without its line end; undefined if it does not exist. */
  #readText(path: string): MaybePromise<string | undefined> {
    return settled<string, string | undefined>(
      () => this.#files.readlink(path),
      (target) => target,
      (error) => {
        if (isMissing(error)) return undefined;
        if (NO_LINK.has(codeOf(error))) return this.#readFile(path);
        throw error;
      },
    );
  }

  async #readFile(path: string): Promise<string | undefined> {
    const handle = await openFile(this.#files, path);
    if (handle === undefined) return undefined;
    try {
      const buffer = Buffer.alloc(MAX_LOCK_OCTETS);
      const { bytesRead } = await handle.read(buffer, 0, MAX_LOCK_OCTETS, 0);
      return buffer.toString('latin1', 0, bytesRead).trimEnd();
    } finally {
      await handle.close();
    }
  }

  #addGuard(guard: string): void {
    this.#guards ??= new Set();
    this.#guards.add(guard);
  }

  async #removeGuards(): Promise<void> {
    for (const guard of this.#guards ?? []) {
      await this.#unlink(guard);
      this.#guards?.delete(guard);
    }
  }

  #unlink(path: string): MaybePromise<void> {
    return settled<void, void>(
      () => this.#files.unlink(path),
      () => {},
      (error) => {
        if (!isMissing(error)) throw error;
      },
    );
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

  get #files(): MailboxFiles {
    return this.#context.files;
  }

  get #nonce(): string {
    return this.#text.slice(-NONCE_DIGITS);
  }
}

/** What all locks of one server share. */
export interface LockContext {
  /** The file system for the login and the logout. */
  readonly files: MailboxFiles;
  /** The file system for the refreshes: their thousands must not block the event loop. */
  readonly patientFiles: FileSystem;
  /** The permissions of a lock that is a file. A symbolic link has none. */
  readonly permissions: Permissions;
}

/** Sets the times of a file or of a symbolic link. Resolves to false if it does not exist. */
async function setTimes(files: FileSystem, path: string, atime: Date, mtime: Date): Promise<boolean> {
  try {
    await files.lutimes(path, atime, mtime);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Opens a file. Resolves to undefined if it does not exist or has become a symbolic link. */
async function openFile(files: MailboxFiles, path: string): Promise<OpenFile | undefined> {
  try {
    return await files.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A lock, as it was read. */
interface LockRecord {
  /** Undefined if the lock is damaged. */
  readonly owner: LockOwner | undefined;
  /** The time of the last refresh in milliseconds, by the clock of the file system. */
  readonly changedAt: number;
  /** The nonce of the owner, or a name for this damaged lock. */
  readonly nonce: string;
}

/** `now` is a time of the same file system. */
function isStale({ owner, changedAt }: LockRecord, now: number): boolean {
  return now - changedAt > MAX_UNREFRESHED_MS || (owner !== undefined && hasEnded(owner));
}

const LOCK_NAME = 'postern-pop3.lock';
const MAX_LOCK_OCTETS = 1_024;
const NONCE_DIGITS = 16;
/** The longest chain of takeovers that ended before their rename. */
const MAX_CHAIN = 16;
const MAX_TRIES = 8;
/** Six times the interval of the refreshes. */
const MAX_UNREFRESHED_MS = 180_000;
/** The errors of `symlink` and `link` on a file system without them. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);
/** The errors of `readlink` for a file: on Windows it is UNKNOWN. */
const NO_LINK: ReadonlySet<string> = new Set(['EINVAL', 'UNKNOWN']);
