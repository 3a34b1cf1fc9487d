/**
 * The used steps of one-time codes in memory, for a store that cannot keep them. They last until
 * their codes are wrong in any case, and not over a restart.
 */
export class UsedSteps {
  readonly #now: () => number;
  readonly #steps = new Map<string, UsedStep>();

  /** `now` returns the time in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Marks a step of the user as used until `expires`, in milliseconds since 1970. Returns false if
   * this step or a later one is used already.
   */
  add(name: string, step: number, expires: number): boolean {
    const used = this.#steps.get(name);
    if (used !== undefined && used.step >= step) return false;
    this.#steps.delete(name);
    this.#removeExpired();
    this.#steps.set(name, { step, expires });
    return true;
  }

  /** Only the oldest entries: a new entry moves to the end of the map. */
  #removeExpired(): void {
    const now = this.#now();
    for (const [name, { expires }] of this.#steps) {
      if (expires > now && this.#steps.size < MAX_STEPS) return;
      this.#steps.delete(name);
    }
  }
}

interface UsedStep {
  readonly step: number;
  readonly expires: number;
}

/** About 20 MiB. A service with more users in two minutes needs a store with `update`. */
const MAX_STEPS = 100_000;
