/**
 * How bytes are cut on their way: as they were written; every octet for itself; at random, the same for the same seed; or as
 * written, but for one cut after so many octets of all.
 */
export type Slicing = 'whole' | 'octets' | { readonly seed: number } | { readonly splitAt: number };

/** Cuts one direction of a connection. */
export class Slicer {
  readonly #chunks: Slicing;
  #random: number;
  #passed = 0;

  constructor(chunks: Slicing) {
    this.#chunks = chunks;
    this.#random = typeof chunks === 'object' && 'seed' in chunks ? chunks.seed | 0 : 0;
  }

  /** Whether the next chunk is there at once, or a turn later. */
  get atOnce(): boolean {
    if (this.#chunks === 'whole') return true;
    return typeof this.#chunks === 'object' && 'seed' in this.#chunks && this.#below(2) === 0;
  }

  /** The size of the next chunk where so many octets are there. */
  next(available: number): number {
    const size = Math.min(this.#size(available), available);
    this.#passed += size;
    return size;
  }

  #size(available: number): number {
    if (this.#chunks === 'whole') return available;
    if (this.#chunks === 'octets') return 1;
    if ('seed' in this.#chunks) return 1 + this.#below(1 << this.#below(12));
    const rest = this.#chunks.splitAt - this.#passed;
    return rest > 0 ? rest : available;
  }

  /** Mulberry32: small, and the same everywhere. */
  #below(limit: number): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}
