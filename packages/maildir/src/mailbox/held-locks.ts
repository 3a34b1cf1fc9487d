import type { Clock } from '@postern/core';
import type { MailboxLock } from './mailbox-lock.ts';
import { Turns } from './turns.ts';

/** The locks of this process. One timer refreshes them, and repeats releases that have failed. */
export class HeldLocks {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #locks = new Set<MailboxLock>();
  /** The locks whose release has failed, by the path of their Maildir. */
  readonly #unreleased = new Map<string, UnreleasedLocks>();
  #timer: Disposable | undefined;

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /**
   * Locks a Maildir. First releases the locks that this process has failed to release.
   *
   * @throws MailboxInUse if another session has locked it
   * @throws the error of the file system
   */
  async take(lock: MailboxLock): Promise<void> {
    const unreleased = this.#unreleased.get(lock.path);
    if (unreleased !== undefined) await this.#repeat(lock.path, unreleased);
    try {
      await lock.take();
    } catch (error) {
      // The error of the login is the one that the operator sees.
      await this.release(lock).catch(() => {});
      throw error;
    }
    this.#locks.add(lock);
    this.#startTimer();
  }

  /**
   * Unlocks a Maildir. After an error the timer and the next login try again.
   *
   * @throws the error of the file system
   */
  async release(lock: MailboxLock): Promise<void> {
    this.#locks.delete(lock);
    try {
      await lock.release();
    } catch (error) {
      this.#keep(lock);
      throw error;
    } finally {
      this.#stopTimer();
    }
  }

  #keep(lock: MailboxLock): void {
    const unreleased = this.#unreleased.get(lock.path) ?? { locks: [], attempt: undefined };
    unreleased.locks.push(lock);
    this.#unreleased.set(lock.path, unreleased);
    this.#startTimer();
  }

  /** Releases the locks of one Maildir. Two logins and the timer share one attempt. */
  async #repeat(path: string, unreleased: UnreleasedLocks): Promise<void> {
    unreleased.attempt ??= this.#releaseAll(path, unreleased).finally(() => {
      unreleased.attempt = undefined;
    });
    await unreleased.attempt;
  }

  async #releaseAll(path: string, { locks }: UnreleasedLocks): Promise<void> {
    for (let lock = locks[0]; lock !== undefined; lock = locks[0]) {
      await lock.release();
      locks.shift();
    }
    this.#unreleased.delete(path);
    this.#stopTimer();
  }

  #startTimer(): void {
    this.#timer ??= this.#clock.after(INTERVAL_MS, () => void this.#tick());
  }

  #stopTimer(): void {
    if (this.#locks.size > 0 || this.#unreleased.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** Works on one lock after the other: thousands at once would fill the thread pool of libuv. */
  async #tick(): Promise<void> {
    const timer = this.#timer;
    for (const lock of this.#locks) {
      // A lost lock is noticed before the session removes messages.
      await lock.refresh().catch(this.#onError);
    }
    const turns = new Turns();
    for (const [path, unreleased] of this.#unreleased) {
      await this.#repeat(path, unreleased).catch(this.#onError);
      if (turns.isOver) await turns.next();
    }
    if (this.#timer !== timer) return;
    this.#timer = undefined;
    if (this.#locks.size > 0 || this.#unreleased.size > 0) this.#startTimer();
  }
}

/** Locks of one Maildir whose release has failed. */
interface UnreleasedLocks {
  readonly locks: MailboxLock[];
  /** The attempt to release them that runs now. */
  attempt: Promise<void> | undefined;
}

/** The interval of the refreshes in milliseconds. */
const INTERVAL_MS = 30_000;
