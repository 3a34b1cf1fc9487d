/** A small, fast, seeded generator of numbers (mulberry32): the same seed gives the same run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns an integer from 0 to `end` - 1. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((((mixed ^ (mixed >>> 14)) >>> 0) * end) / 2 ** 32) | 0;
  }

  /** Returns one of the items, of which there is at least one. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

/**
 * Returns a number that depends on each octet (FNV-1a): it seeds what a run of an input decides at
 * random.
 */
export function hashOf(octets: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < octets.length; at++) hash = Math.imul(hash ^ (octets[at] as number), 0x01000193);
  return hash >>> 0;
}
