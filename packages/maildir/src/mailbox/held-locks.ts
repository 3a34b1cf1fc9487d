import type { Clock } from '@postern/core';
import type { MailboxLock } from './mailbox-lock.ts';

/** The locks that this process holds. One timer refreshes them all. */
export class HeldLocks {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #locks = new Set<MailboxLock>();
  #timer: Disposable | undefined;

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  add(lock: MailboxLock): void {
    this.#locks.add(lock);
    this.#timer ??= this.#clock.after(REFRESH_INTERVAL_MS, () => void this.#refresh());
  }

  /** Forgets the lock before its release. */
  delete(lock: MailboxLock): void {
    this.#locks.delete(lock);
    if (this.#locks.size > 0) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** Refreshes one lock after the other: thousands at once would fill the thread pool of libuv. */
  async #refresh(): Promise<void> {
    const timer = this.#timer;
    for (const lock of this.#locks) {
      // A lost lock is noticed before the session removes messages.
      await lock.refresh().catch(this.#onError);
    }
    if (this.#timer !== timer) return;
    this.#timer =
      this.#locks.size === 0 ? undefined : this.#clock.after(REFRESH_INTERVAL_MS, () => void this.#refresh());
  }
}

const REFRESH_INTERVAL_MS = 30_000;
