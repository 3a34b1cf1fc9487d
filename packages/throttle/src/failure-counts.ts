import { type Clock, type MaybePromise, systemClock } from '@postern/core';

/** The store of a throttle's counts: in memory, or shared by several servers. */
export interface FailureCounts {
  /** Returns the number of failures under the key. */
  get(key: string): MaybePromise<number>;
  /**
   * Counts one failure. The first failure of a key starts a window of `window` milliseconds, at
   * whose end all failures of the key are forgotten.
   */
  add(key: string, window: number): MaybePromise<void>;
  /** Forgets the failures of the key. */
  reset(key: string): MaybePromise<void>;
  /**
   * Returns the milliseconds until the failures of the key are forgotten, 0 without failures. The
   * throttle passes it on as `retryAfter`. Optional.
   */
  remaining?(key: string): MaybePromise<number>;
}

/**
 * Counts failures in memory for a bounded number of keys. A full table drops an expired key, or
 * else the oldest of the keys with the fewest failures. An attacker therefore cannot displace the
 * count of a victim with new keys or with heavier ones. Each operation takes constant time.
 *
 * @example
 * ```ts
 * import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
 * import { InMemoryFailureCounts, withThrottle } from '@postern/throttle';
 *
 * const counts = new InMemoryFailureCounts({ maximumKeys: 10_000 });
 * const joe = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
 * const ann = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'pa55word' });
 * const checkers = [withThrottle(joe, { counts }), withThrottle(ann, { counts })];
 * ```
 */
export class InMemoryFailureCounts implements FailureCounts {
  readonly #counts = new Map<string, Count>();
  /** The keys with one failure, with two, and so on. */
  readonly #levels = Array.from({ length: MAX_LEVELS }, () => new Level());
  readonly #clock: Clock;
  readonly #maximumKeys: number;

  constructor({
    clock = systemClock,
    maximumKeys = 100_000,
  }: { readonly clock?: Clock; readonly maximumKeys?: number } = {}) {
    this.#clock = clock;
    this.#maximumKeys = maximumKeys;
  }

  /** The number of keys in the table. */
  get size(): number {
    return this.#counts.size;
  }

  get(key: string): number {
    const count = this.#counts.get(key);
    if (count === undefined) return 0;
    if (count.expiry > this.#clock.now()) return count.failures;
    this.#drop(count);
    return 0;
  }

  add(key: string, window: number): void;
  /** @internal Counts `failures` failures at once. */
  add(key: string, window: number, failures: number): void;
  add(key: string, window: number, failures = 1): void {
    const count = this.get(key) === 0 ? undefined : this.#counts.get(key);
    if (count === undefined) {
      if (this.#counts.size >= this.#maximumKeys) this.#dropOne();
      const added = new Count(key, failures, this.#clock.now() + window);
      this.#counts.set(key, added);
      this.#levelOf(failures).append(added);
    } else {
      this.#levelOf(count.failures).remove(count);
      count.failures += failures;
      this.#levelOf(count.failures).append(count);
    }
  }

  reset(key: string): void {
    const count = this.#counts.get(key);
    if (count !== undefined) this.#drop(count);
  }

  remaining(key: string): number {
    const count = this.#counts.get(key);
    return count === undefined ? 0 : Math.max(0, count.expiry - this.#clock.now());
  }

  /** @internal Forgets all failures. */
  clear(): void {
    for (const count of this.#counts.values()) this.#drop(count);
  }

  /**
   * @internal Yields each key with its failures and the remaining milliseconds of its window.
   */
  *entries(): IterableIterator<readonly [key: string, failures: number, remaining: number]> {
    const now = this.#clock.now();
    for (const { key, failures, expiry } of this.#counts.values()) {
      if (expiry > now) yield [key, failures, expiry - now];
    }
  }

  #levelOf(failures: number): Level {
    return this.#levels[Math.min(failures, MAX_LEVELS) - 1] as Level;
  }

  #drop(count: Count): void {
    this.#levelOf(count.failures).remove(count);
    this.#counts.delete(count.key);
  }

  #dropOne(): void {
    const now = this.#clock.now();
    let dropped: Count | undefined;
    for (const { oldest } of this.#levels) {
      if (oldest === undefined) continue;
      dropped ??= oldest;
      if (oldest.expiry > now) continue;
      dropped = oldest;
      break;
    }
    if (dropped !== undefined) this.#drop(dropped);
  }
}

/** The failures of one key, linked to its neighbours of the same level. */
class Count {
  readonly key: string;
  failures: number;
  /** The end of the window, on the clock. */
  readonly expiry: number;
  older: Count | undefined = undefined;
  newer: Count | undefined = undefined;

  constructor(key: string, failures: number, expiry: number) {
    this.key = key;
    this.failures = failures;
    this.expiry = expiry;
  }
}

/**
 * Keys in the order of their last failure. A linked list, because the iterator of a Set searches
 * the places of all members that were dropped before.
 */
class Level {
  oldest: Count | undefined = undefined;
  #newest: Count | undefined = undefined;

  append(count: Count): void {
    count.older = this.#newest;
    count.newer = undefined;
    if (this.#newest === undefined) this.oldest = count;
    else this.#newest.newer = count;
    this.#newest = count;
  }

  remove({ older, newer }: Count): void {
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}

/** Keys with more failures share the last level. */
const MAX_LEVELS = 64;
