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
  /** The keys with one failure, with two, and so on, each in the order of their last failure. */
  readonly #levels = Array.from({ length: MAX_LEVELS }, () => new Set<string>());
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
    this.reset(key);
    return 0;
  }

  add(key: string, window: number): void {
    const failures = this.get(key);
    const count = this.#counts.get(key);
    if (count === undefined) {
      if (this.#counts.size >= this.#maximumKeys) this.#dropOne();
      this.#counts.set(key, { failures: 1, expiry: this.#clock.now() + window });
    } else {
      this.#levelOf(failures).delete(key);
      count.failures += 1;
    }
    this.#levelOf(failures + 1).add(key);
  }

  reset(key: string): void {
    const count = this.#counts.get(key);
    if (count === undefined) return;
    this.#levelOf(count.failures).delete(key);
    this.#counts.delete(key);
  }

  remaining(key: string): number {
    const count = this.#counts.get(key);
    return count === undefined ? 0 : Math.max(0, count.expiry - this.#clock.now());
  }

  #levelOf(failures: number): Set<string> {
    return this.#levels[Math.min(failures, MAX_LEVELS) - 1] as Set<string>;
  }

  #dropOne(): void {
    const now = this.#clock.now();
    let dropped: string | undefined;
    for (const level of this.#levels) {
      const [oldest] = level;
      if (oldest === undefined) continue;
      dropped ??= oldest;
      if ((this.#counts.get(oldest)?.expiry ?? now) > now) continue;
      dropped = oldest;
      break;
    }
    if (dropped !== undefined) this.reset(dropped);
  }
}

interface Count {
  failures: number;
  /** The end of the window, on the clock. */
  readonly expiry: number;
}

/** Keys with more failures share the last level. */
const MAX_LEVELS = 64;
