import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, isPromise, systemClock, toPromise } from '@postern/core';
import type { Interface, MaybePromise, PasswordProof } from '@postern/cred';
import { canonicalName } from './canonical-name.ts';
import type { UserRecord } from './user-record.ts';
import { interfacesOfStore, isUpdatable, type UserStore } from './user-store.ts';

/** The parameters of {@link cachedStore}. */
export interface CacheOptions {
  /** The greatest age of a user in seconds, counted from the beginning of the query. */
  readonly maxAge: number;
  /**
   * The greatest age in seconds of the answer that a name is unknown, at most `maxAge`. Default: 1,
   * so that a new user can log in at once.
   */
  readonly maxUnknownAge?: number;
  /**
   * The largest number of users, and of unknown names. The oldest answer of its kind makes room: a
   * client that tries unknown names removes no user. Default: 10,000.
   */
  readonly maxEntries?: number;
  /**
   * The seconds after `maxAge` for which a user is still returned while the store fails. Default:
   * 0.
   */
  readonly staleWhileDown?: number;
  /**
   * The milliseconds after which a store without an answer counts as failed, if there is a user
   * for `staleWhileDown`. Default: 2,000.
   */
  readonly downTimeout?: number;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
}

/**
 * Returns a store that keeps the answers of another store for a few seconds. A change of a user in
 * the other store is seen after at most `maxAge` seconds. `update` makes the cache forget the user.
 *
 * Look-ups of one name at one time share one query. It is aborted when all of these look-ups are. A
 * failed query is never kept. While the store fails, a user that the cache knew is returned for
 * `staleWhileDown` more seconds; an unknown name is a temporary failure.
 *
 * The cache finds an answer by HMAC-SHA-256 of the canonical name with a random key. It holds no
 * text that a client sent as a name, which is sometimes a password. It does hold the records of
 * users.
 *
 * @throws RangeError if `maxAge` is not a positive number, or another option is out of range.
 *
 * @example
 * ```ts
 * import { cachedStore, type UserStore } from '@postern/users';
 *
 * declare const directory: UserStore;
 *
 * const users = cachedStore(directory, { maxAge: 30, staleWhileDown: 600 });
 * ```
 */
export function cachedStore(store: UserStore, options: CacheOptions): UserStore {
  return new CachedStore(store, options);
}

/** The answer of the store for one name. */
interface Answer {
  readonly user: UserRecord | undefined;
  /** The time at which its query began, in milliseconds of the clock. */
  readonly time: number;
}

/** A query that runs. Its result settles all look-ups that wait for it. */
interface Query {
  readonly result: Promise<UserRecord | undefined>;
  /** The time at which it began. */
  readonly time: number;
  readonly abort: AbortController;
  waiting: number;
}

class CachedStore implements UserStore {
  readonly #store: UserStore;
  readonly #clock: Clock;
  readonly #key = randomBytes(32);
  readonly #maxAge: number;
  readonly #maxUnknownAge: number;
  readonly #maxEntries: number;
  readonly #stale: number;
  readonly #downTimeout: number;
  /** The answers with a user by the digests of names, the oldest first. */
  readonly #users = new Map<string, Answer>();
  /** The answers that a name is unknown, in the same way. */
  readonly #unknown = new Map<string, Answer>();
  /** The queries whose answers will be kept, by the digests of names. */
  readonly #queries = new Map<string, Query>();
  readonly update?: NonNullable<UserStore['update']>;
  /** The list of the store itself. */
  readonly list?: NonNullable<UserStore['list']>;
  readonly canUpdate = (name: string): boolean => isUpdatable(this.#store, name);

  constructor(store: UserStore, options: CacheOptions) {
    const { maxAge, maxUnknownAge = Math.min(1, maxAge), maxEntries = 10_000, staleWhileDown = 0 } = options;
    const { downTimeout = 2_000, clock = systemClock } = options;
    if (!(maxAge > 0)) throw new RangeError(`maxAge is ${maxAge}; expected seconds above 0`);
    if (!(maxUnknownAge >= 0 && maxUnknownAge <= maxAge)) {
      throw new RangeError(`maxUnknownAge is ${maxUnknownAge}; expected 0 to maxAge (${maxAge}) seconds`);
    }
    if (!(Number.isInteger(maxEntries) && maxEntries > 0)) {
      throw new RangeError(`maxEntries is ${maxEntries}; expected a whole number above 0`);
    }
    if (!(staleWhileDown >= 0)) throw new RangeError(`staleWhileDown is ${staleWhileDown}; expected seconds from 0 on`);
    if (!(downTimeout > 0)) throw new RangeError(`downTimeout is ${downTimeout}; expected milliseconds above 0`);
    this.#store = store;
    this.#clock = clock;
    this.#maxAge = maxAge * 1_000;
    this.#maxUnknownAge = maxUnknownAge * 1_000;
    this.#maxEntries = maxEntries;
    this.#stale = staleWhileDown * 1_000;
    this.#downTimeout = downTimeout;
    if (store.update !== undefined) this.update = this.#update;
    if (store.list !== undefined) this.list = store.list.bind(store);
  }

  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    return interfacesOfStore(this.#store);
  }

  get scramKey(): Uint8Array | undefined {
    return this.#store.scramKey;
  }

  find(name: string, signal: AbortSignal): MaybePromise<UserRecord | undefined> {
    const canonical = canonicalName(name);
    if (canonical === undefined) return undefined;
    const key = this.#digest(canonical);
    const now = this.#clock.now();
    const known = this.#users.get(key) ?? this.#unknown.get(key);
    if (known !== undefined && now - known.time < (known.user === undefined ? this.#maxUnknownAge : this.#maxAge)) {
      return known.user;
    }
    const running = this.#queries.get(key);
    if (running !== undefined && now - running.time < this.#maxAge) return this.#wait(key, running, signal);
    return this.#ask(key, name, signal);
  }

  #ask(key: string, name: string, signal: AbortSignal): MaybePromise<UserRecord | undefined> {
    const time = this.#clock.now();
    const abort = new AbortController();
    let found: MaybePromise<UserRecord | undefined>;
    try {
      found = this.#store.find(name, abort.signal);
    } catch (error) {
      const user = this.#staleUser(key);
      if (user === undefined) throw error;
      return user;
    }
    if (!isPromise(found)) return this.#keep(key, { user: found ?? undefined, time });
    const settle = (): boolean => this.#queries.get(key) === query && this.#queries.delete(key);
    const result = toPromise(found).then(
      (user) => (settle() ? this.#keep(key, { user: user ?? undefined, time }) : user),
      (error: unknown) => {
        settle();
        throw error;
      },
    );
    const query: Query = { result, time, abort, waiting: 0 };
    this.#queries.set(key, query);
    return this.#wait(key, query, signal);
  }

  /** Waits for the query until `signal` aborts, or until a stale user does as well. */
  async #wait(key: string, query: Query, signal: AbortSignal): Promise<UserRecord | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<UserRecord | undefined>();
    const fail = (error: unknown): void => {
      const user = this.#staleUser(key);
      if (user === undefined) reject(error);
      else resolve(user);
    };
    query.waiting++;
    query.result.then(resolve, fail);
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const timer =
      this.#staleUser(key) && this.#clock.after(this.#downTimeout, () => resolve(this.#staleUser(key) ?? query.result));
    try {
      return await promise;
    } finally {
      timer?.[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
      if (--query.waiting === 0) this.#leave(key, query);
    }
  }

  /** Aborts a query for which no look-up waits any more. */
  #leave(key: string, query: Query): void {
    if (this.#queries.get(key) === query) this.#queries.delete(key);
    query.abort.abort();
  }

  #keep(key: string, answer: Answer): UserRecord | undefined {
    this.#delete(key);
    const now = this.#clock.now();
    const isKnown = answer.user !== undefined;
    const answers = isKnown ? this.#users : this.#unknown;
    answers.set(key, answer);
    const oldest = now - (isKnown ? this.#maxAge + this.#stale : this.#maxUnknownAge);
    for (const [old, { time }] of answers) {
      if (answers.size <= this.#maxEntries && time > oldest) break;
      answers.delete(old);
    }
    return answer.user;
  }

  #delete(key: string): void {
    this.#users.delete(key);
    this.#unknown.delete(key);
  }

  /** Returns the user that the cache may still return while the store fails. */
  #staleUser(key: string): UserRecord | undefined {
    const known = this.#users.get(key);
    if (known === undefined || this.#clock.now() - known.time >= this.#maxAge + this.#stale) return undefined;
    return known.user;
  }

  readonly #update: NonNullable<UserStore['update']> = async (name, change) => {
    const canonical = canonicalName(name);
    const key = canonical === undefined ? undefined : this.#digest(canonical);
    this.#forget(key);
    try {
      await this.#store.update?.(name, change);
    } finally {
      // A look-up during the update may have read the user as it was.
      this.#forget(key);
    }
  };

  #forget(key: string | undefined): void {
    if (key === undefined) return;
    this.#delete(key);
    // The query settles its own look-ups, and its answer is not kept.
    this.#queries.delete(key);
  }

  #digest(canonical: string): string {
    return createHmac('sha256', this.#key).update(canonical).digest('base64');
  }
}
