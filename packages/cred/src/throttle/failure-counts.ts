import { type Clock, systemClock } from '../clock.ts';
import type { MaybePromise } from '../maybe-promise.ts';

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

/** Counts in memory, for a bounded number of keys: beyond it those are dropped that matter least. */
export class InMemoryFailureCounts implements FailureCounts {
  readonly #counts = new Map<string, { failures: number; readonly until: number }>();
  readonly #clock: Clock;
  readonly #maximumKeys: number;

  constructor({
    clock = systemClock,
    maximumKeys = 100_000,
  }: { readonly clock?: Clock; readonly maximumKeys?: number } = {}) {
    this.#clock = clock;
    this.#maximumKeys = maximumKeys;
  }

  /** How many keys are kept. */
  get size(): number {
    return this.#counts.size;
  }

  get(key: string): number {
    const count = this.#counts.get(key);
    if (count === undefined) return 0;
    if (count.until > this.#clock.now()) return count.failures;
    this.#counts.delete(key);
    return 0;
  }

  add(key: string, window: number): void {
    if (this.get(key) > 0) {
      const count = this.#counts.get(key);
      if (count !== undefined) count.failures += 1;
      return;
    }
    if (this.#counts.size >= this.#maximumKeys) this.#dropOne();
    this.#counts.set(key, { failures: 1, until: this.#clock.now() + window });
  }

  reset(key: string): void {
    this.#counts.delete(key);
  }

  remaining(key: string): number {
    const count = this.#counts.get(key);
    return count === undefined ? 0 : Math.max(0, count.until - this.#clock.now());
  }

  /** Of the oldest few, the one with the fewest failures: a flood of new keys does not wash away what was counted long. */
  #dropOne(): void {
    let least: { readonly key: string; readonly failures: number } | undefined;
    let candidates = 0;
    for (const key of this.#counts.keys()) {
      const failures = this.get(key);
      if (least === undefined || failures < least.failures) least = { key, failures };
      candidates += 1;
      if (failures === 0 || candidates === CANDIDATES) break;
    }
    if (least !== undefined) this.#counts.delete(least.key);
  }
}

const CANDIDATES = 16;
