import { type Clock, type MaybePromise, systemClock } from '@postern/core';

/** Where a throttle counts failures: in memory, or in a store that several servers share. */
export interface FailureCounts {
  /** How many failures are counted under the key. */
  get(key: string): MaybePromise<number>;
  /** Counts one more. The first one begins a window of so many milliseconds, after which all are forgotten. */
  add(key: string, window: number): MaybePromise<void>;
  /** Forgets the key's failures. */
  reset(key: string): MaybePromise<void>;
  /** Returns after how many milliseconds the key's failures are forgotten; 0 if there are none. For the log; may be left out. */
  remaining?(key: string): MaybePromise<number>;
}

/**
 * Counts failures in memory, for a bounded number of keys. A full table drops an expired key, or else the
 * oldest of those with the fewest failures: neither new nor heavy keys wash away the count of a victim
 * below their own. Every operation takes constant time.
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

  /** The number of keys that are kept. */
  get size(): number {
    return this.#counts.size;
  }

  get(key: string): number {
    const count = this.#counts.get(key);
    if (count === undefined) return 0;
    if (count.until > this.#clock.now()) return count.failures;
    this.reset(key);
    return 0;
  }

  add(key: string, window: number): void {
    const failures = this.get(key);
    const count = this.#counts.get(key);
    if (count === undefined) {
      if (this.#counts.size >= this.#maximumKeys) this.#dropOne();
      this.#counts.set(key, { failures: 1, until: this.#clock.now() + window });
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
    return count === undefined ? 0 : Math.max(0, count.until - this.#clock.now());
  }

  #levelOf(failures: number): Set<string> {
    return this.#levels[Math.min(failures, MAX_LEVELS) - 1] as Set<string>;
  }

  #dropOne(): void {
    const now = this.#clock.now();
    let lightest: string | undefined;
    for (const level of this.#levels) {
      const [oldest] = level;
      if (oldest === undefined) continue;
      lightest ??= oldest;
      if ((this.#counts.get(oldest)?.until ?? now) > now) continue;
      lightest = oldest;
      break;
    }
    if (lightest !== undefined) this.reset(lightest);
  }
}

interface Count {
  failures: number;
  /** When the window has passed, on the clock. */
  readonly until: number;
}

/** Keys with more failures share the last level. */
const MAX_LEVELS = 64;
