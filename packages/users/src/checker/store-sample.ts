import { type Clock, orAborted, systemClock } from '@postern/core';
import type { UserRecord } from '../user-record.ts';
import type { UserStore } from '../user-store.ts';

/**
 * The users at the beginning of a store's list, which show what the secrets of its users look like.
 * The sample is taken once, before the first login, in at most 8 seconds. A store without `list`
 * has none.
 */
export class StoreSample {
  readonly #list: UserStore['list'];
  readonly #onUser: (user: UserRecord) => void;
  readonly #onError: (error: Error) => void;
  readonly #clock: Clock;
  /** Undefined before the first login, and true after the sample. */
  #taken: Promise<void> | true | undefined;

  /** `onUser` receives each user of the sample. */
  constructor(
    store: UserStore,
    onUser: (user: UserRecord) => void,
    onError: (error: Error) => void,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#list = store.list?.bind(store);
    this.#onUser = onUser;
    this.#onError = onError;
  }

  /** Resolves when the sample is taken, or the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#taken === true) return;
    this.#taken ??= this.#take();
    await orAborted(this.#taken, signal);
  }

  async #take(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const message = `the list of the users has not ended within ${TIMEOUT_MS} ms`;
    using _timer = this.#clock.after(TIMEOUT_MS, () => late.reject(new Error(message)));
    try {
      await Promise.race([this.#read(), late.promise]);
    } catch (cause) {
      this.#onError(new Error('the user store could not be sampled for logins of unknown users', { cause }));
    }
    this.#taken = true;
  }

  async #read(): Promise<void> {
    let rest = SAMPLE_USERS;
    for await (const user of this.#list?.() ?? []) {
      this.#onUser(user);
      rest -= 1;
      if (rest === 0) break;
    }
  }
}

/** The users of a sample: some milliseconds, once. */
const SAMPLE_USERS = 1000;

/** The time of a sample. A login may take a minute, and Postfix waits ten seconds for a reply. */
const TIMEOUT_MS = 8_000;
