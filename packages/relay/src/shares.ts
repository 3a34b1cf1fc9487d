/**
 * Counts the amount of a resource that clients hold: at most `total` in all, and at most `perKey`
 * for each key.
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

  /** The amount that all clients hold together. */
  get taken(): number {
    return this.#taken;
  }

  /** True if the total is used up. */
  get isExhausted(): boolean {
    return this.#taken >= this.#total;
  }

  /** Counts the amount for these keys. Returns false and counts nothing if it exceeds a limit. */
  take(keys: readonly string[], amount = 1): boolean {
    if (this.#taken + amount > this.#total) return false;
    if (keys.some((key) => this.#exceeds(key, amount))) return false;
    this.#taken += amount;
    for (const key of keys) this.#byKey.set(key, this.#of(key) + amount);
    return true;
  }

  /** Frees an amount that `take` counted for the same keys. */
  give(keys: readonly string[], amount = 1): void {
    this.#taken -= amount;
    for (const key of keys) {
      const remaining = this.#of(key) - amount;
      if (remaining > 0) this.#byKey.set(key, remaining);
      else this.#byKey.delete(key);
    }
  }

  /** Returns the keys whose share is used up. */
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
