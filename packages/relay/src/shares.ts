/**
 * Counts what clients hold of something scarce. All keys together hold at most `total`, and each key
 * at most `perKey`.
 */
export class Shares {
  readonly #total: number;
  readonly #perKey: number;
  readonly #byKey = new Map<string, number>();
  #taken = 0;

  constructor(total: number, perKey: number) {
    this.#total = total;
    this.#perKey = perKey;
  }

  /** The amount that all holders have together. */
  get taken(): number {
    return this.#taken;
  }

  /** True if the total, whoever asks, has no room for one more. */
  get isExhausted(): boolean {
    return this.#taken >= this.#total;
  }

  /** Takes the amount for the holder of these keys. Returns false, and takes nothing, if there is no room. */
  take(keys: readonly string[], amount = 1): boolean {
    if (this.#taken + amount > this.#total) return false;
    if (keys.some((key) => this.#exceeds(key, amount))) return false;
    this.#taken += amount;
    for (const key of keys) this.#byKey.set(key, this.#of(key) + amount);
    return true;
  }

  /** Gives back an amount that `take` took for the same keys. */
  give(keys: readonly string[], amount = 1): void {
    this.#taken -= amount;
    for (const key of keys) {
      const left = this.#of(key) - amount;
      if (left > 0) this.#byKey.set(key, left);
      else this.#byKey.delete(key);
    }
  }

  /** Returns the keys that may not hold one more. */
  exhausted(keys: readonly string[]): readonly string[] {
    return keys.filter((key) => this.#exceeds(key, 1));
  }

  #exceeds(key: string, amount: number): boolean {
    return this.#of(key) + amount > this.#perKey;
  }

  #of(key: string): number {
    return this.#byKey.get(key) ?? 0;
  }
}
