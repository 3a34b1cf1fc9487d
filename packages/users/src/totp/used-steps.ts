import { ExpiringMap } from '@postern/core';

/**
 * The used steps of one-time codes in memory, for a store that cannot keep them. They last until
 * their codes are wrong in any case, and not over a restart.
 */
export class UsedSteps {
  readonly #steps: ExpiringMap<string, number>;

  /** `now` returns the time in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#steps = new ExpiringMap(MAX_STEPS, now);
  }

  /**
   * Marks a step of the user as used until `expiry`, in milliseconds since 1970. Returns false if
   * this step or a later one is used already.
   */
  add(name: string, step: number, expiry: number): boolean {
    if ((this.#steps.get(name) ?? -1) >= step) return false;
    this.#steps.set(name, step, expiry);
    return true;
  }
}

/** About 20 MiB. A service with more users in two minutes needs a store with `update`. */
const MAX_STEPS = 100_000;
