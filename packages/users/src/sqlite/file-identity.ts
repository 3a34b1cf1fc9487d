import { statSync } from 'node:fs';
import type { Clock } from '@postern/core';
import { UserStoreError } from '../errors.ts';

/**
 * Notices that the path of an open database names another file, or none. SQLite reads and writes
 * the old file for ever, and no edit of the new one counts: a disabled user could log in.
 */
export class FileIdentity {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #opened: string | undefined;
  #expiry = 0;

  /** `path` is undefined for a database in memory. */
  constructor(path: string | undefined, clock: Clock) {
    this.#path = path ?? '';
    this.#clock = clock;
    this.#opened = path === undefined ? undefined : identityOf(path);
    this.#expiry = clock.now() + MAX_AGE_MS;
  }

  /**
   * Looks at the path at most once a second, and each time after a failure.
   *
   * @throws UserStoreError if the path names another file than at first.
   */
  assertSame(): void {
    const now = this.#clock.now();
    if (this.#opened === undefined || now < this.#expiry) return;
    if (identityOf(this.#path) !== this.#opened) {
      throw new UserStoreError(
        `the user database ${this.#path} has been replaced or deleted while it is open: restart this program`,
      );
    }
    this.#expiry = now + MAX_AGE_MS;
  }
}

/** Returns undefined without a file. */
function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.dev} ${stats.ino}`;
}

const MAX_AGE_MS = 1_000;
