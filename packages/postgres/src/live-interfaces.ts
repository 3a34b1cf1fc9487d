import type { Clock } from '@postern/core';
import type { Interface, PasswordProof } from '@postern/cred';
import { CommonInterfaces } from '@postern/users/store';

/**
 * The classes of credentials that all users of a database can use. Another process may change the
 * users, so the database is asked again in the background.
 */
export class LiveInterfaces {
  readonly #load: () => Promise<readonly number[]>;
  readonly #clock: Clock;
  readonly #common = new CommonInterfaces();
  #interfaces: readonly Interface<PasswordProof>[] = this.#common.of([]);
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  /** @param load resolves to the distinct sums of forms in the database */
  constructor(load: () => Promise<readonly number[]>, clock: Clock) {
    this.#load = load;
    this.#clock = clock;
  }

  /** The classes of the last answer. Starts a new question if that answer is too old. */
  get current(): readonly Interface<PasswordProof>[] {
    if (this.#clock.now() - this.#loadedAt >= MAX_AGE_MS) void this.#loadInBackground();
    return this.#interfaces;
  }

  /** Asks the database, and rejects if the database fails. */
  async refresh(): Promise<void> {
    this.#loadedAt = this.#clock.now();
    this.#interfaces = this.#common.of(await this.#load());
  }

  /** Asks the database after a change of this process. A failure leaves the old classes. */
  async refreshAfterChange(): Promise<void> {
    // A question that is under way may not see the change.
    await this.#loading;
    await this.#loadInBackground();
  }

  /** Resolves when no question is under way. */
  async settled(): Promise<void> {
    await this.#loading;
  }

  #loadInBackground(): Promise<void> {
    this.#loading ??= this.refresh().then(this.#finish, this.#finish);
    return this.#loading;
  }

  // The next look-up of a user reports the failure.
  readonly #finish = (): void => {
    this.#loading = undefined;
  };
}

/** The age at which the database is asked again. */
const MAX_AGE_MS = 5000;
