/**
 * The pieces in which bytes arrive:
 *
 * - `whole`: as they were written.
 * - `octets`: each octet alone.
 * - `seed`: cut at random, equally for an equal seed.
 * - `splitAt`: cut once, after this number of octets of the connection.
 */
export type Slicing = 'whole' | 'octets' | { readonly seed: number } | { readonly splitAt: number };

/** Cuts the bytes of one direction of a connection. */
export class Slicer {
  readonly #slicing: Slicing;
  #random: number;
  #cutOctets = 0;

  constructor(slicing: Slicing) {
    this.#slicing = slicing;
    this.#random = typeof slicing === 'object' && 'seed' in slicing ? slicing.seed | 0 : 0;
  }

  /** True if the next piece arrives at once, false if it arrives a microtask later. */
  get atOnce(): boolean {
    if (this.#slicing === 'whole') return true;
    return typeof this.#slicing === 'object' && 'seed' in this.#slicing && this.#below(2) === 0;
  }

  /** Returns the size of the next piece out of `available` octets. */
  next(available: number): number {
    const size = Math.min(this.#size(available), available);
    this.#cutOctets += size;
    return size;
  }

  #size(available: number): number {
    if (this.#slicing === 'whole') return available;
    if (this.#slicing === 'octets') return 1;
    if ('seed' in this.#slicing) return 1 + this.#below(1 << this.#below(12));
    const rest = this.#slicing.splitAt - this.#cutOctets;
    return rest > 0 ? rest : available;
  }

  /** Returns a random number below `limit` (Mulberry32, which is small and portable). */
  #below(limit: number): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
}
