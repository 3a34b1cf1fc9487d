import type { Clock } from '@postern/core';
import { TemporaryFailure } from '@postern/cred';
import { isBusy, operatorError } from './sqlite-errors.ts';

/** How long an operation waits for the lock of another process. */
export interface BusyOptions {
  readonly path: string;
  readonly clock: Clock;
  /** The milliseconds after which the operation rejects. */
  readonly busyTimeout: number;
}

/**
 * Calls `work` until SQLite reports no lock of another process. The event loop runs between the
 * calls: the timeout of SQLite itself would block it.
 *
 * @throws TemporaryFailure if the lock stays for `busyTimeout` milliseconds.
 * @throws UserStoreError if SQLite fails otherwise.
 */
export async function retryWhileBusy<T>(work: () => T, options: BusyOptions, signal?: AbortSignal): Promise<T> {
  const { busyTimeout, clock, path } = options;
  const deadline = clock.now() + busyTimeout;
  for (let failures = 0; ; ) {
    signal?.throwIfAborted();
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw operatorError(error, path);
      if (clock.now() >= deadline) throw lockedFailure(path, error);
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.after(retryDelay(failures++), resolve, true);
      await promise;
    }
  }
}

/**
 * Returns the milliseconds until the next try. A random part keeps two processes from meeting again
 * and again.
 */
export function retryDelay(failures: number): number {
  return Math.min(MAX_DELAY_MS, 2 ** failures) * (0.5 + Math.random());
}

export function lockedFailure(path: string, cause: unknown): TemporaryFailure {
  return new TemporaryFailure(`the user database ${path} is locked by another process`, { cause, culprit: 'operator' });
}

const MAX_DELAY_MS = 32;
