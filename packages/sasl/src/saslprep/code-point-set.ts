/** An immutable set of code points, as sorted ranges. */
export class CodePointSet {
  /** The first code point of each range, in order. */
  readonly #firsts: Uint32Array;
  /** The last code point of each range. */
  readonly #lasts: Uint32Array;

  /** Reads ranges in the notation of `tables.ts`. */
  constructor(notation: string) {
    const words = notation.trim().split(/\s+/);
    this.#firsts = new Uint32Array(words.length);
    this.#lasts = new Uint32Array(words.length);
    let next = 0;
    for (const [index, word] of words.entries()) {
      const [gap = '', more = '0'] = word.split('+');
      const first = next + Number.parseInt(gap, 36);
      const last = first + Number.parseInt(more, 36);
      this.#firsts[index] = first;
      this.#lasts[index] = last;
      next = last + 1;
    }
  }

  /** Returns true if the set contains the code point, in logarithmic time. */
  has(codePoint: number): boolean {
    let [low, high] = [0, this.#firsts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#lasts[middle] as number) < codePoint) low = middle + 1;
      else high = middle;
    }
    return low < this.#firsts.length && (this.#firsts[low] as number) <= codePoint;
  }
}
