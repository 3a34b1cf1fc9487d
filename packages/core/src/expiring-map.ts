/**
 * A map of at most `maxSize` entries that expire. The entry that was set first makes room for a new
 * one. An expired entry may stay in memory until then, but is not found.
 */
export class ExpiringMap<K, V> {
  readonly #maxSize: number;
  readonly #now: () => number;
  /** The entries in the order in which they were set. */
  readonly #entries = new Map<K, Entry<V>>();

  /** `now` returns the time in milliseconds, from any beginning. */
  constructor(maxSize: number, now: () => number) {
    this.#maxSize = maxSize;
    this.#now = now;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiry > this.#now() ? entry.value : undefined;
  }

  /** Stores the value until the time `expiry`, in milliseconds of the map's clock. */
  set(key: K, value: V, expiry: number): void {
    const now = this.#now();
    this.#entries.delete(key);
    for (const [oldest, entry] of this.#entries) {
      if (entry.expiry > now && this.#entries.size < this.#maxSize) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, expiry });
  }

  /** Yields the entries that have not expired, in the order in which they were set. */
  *entries(): IterableIterator<readonly [K, V]> {
    const now = this.#now();
    for (const [key, { value, expiry }] of this.#entries) if (expiry > now) yield [key, value];
  }
}

interface Entry<V> {
  readonly value: V;
  readonly expiry: number;
}
