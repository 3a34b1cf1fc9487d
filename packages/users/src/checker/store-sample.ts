import { orAborted } from '@postern/core';
import type { UserRecord } from '../user-record.ts';
import type { UserStore } from '../user-store.ts';

/**
 * The users at the beginning of a store's list, which show what the secrets of its users look like.
 * The sample is taken once, before the first login. A store without `list` has none.
 */
export class StoreSample {
  readonly #list: UserStore['list'];
  readonly #onUser: (user: UserRecord) => void;
  readonly #onError: (error: Error) => void;
  /** Undefined before the first login, and true after the sample. */
  #taken: Promise<void> | true | undefined;

  /** `onUser` receives each user of the sample. */
  constructor(store: UserStore, onUser: (user: UserRecord) => void, onError: (error: Error) => void) {
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
    try {
      let rest = SAMPLE_USERS;
      for await (const user of this.#list?.() ?? []) {
        this.#onUser(user);
        rest -= 1;
        if (rest === 0) break;
      }
    } catch (cause) {
      this.#onError(new Error('the user store could not be sampled for logins of unknown users', { cause }));
    }
    this.#taken = true;
  }
}

/** The users of a sample: some milliseconds, once. */
const SAMPLE_USERS = 1000;
