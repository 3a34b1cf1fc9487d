/** A source of a fixed number of octets, unchanged. */
export class Counted {
  /** The number of octets of the last chunk that the source has consumed. */
  consumed = 0;
  readonly summary = undefined;
  #missing: number;

  constructor(octets: number) {
    this.#missing = octets;
  }

  get ended(): boolean {
    return this.#missing <= 0;
  }

  /** Returns the next piece: a view of the chunk from `from` on. */
  next(chunk: Buffer, from: number): Uint8Array {
    const piece = chunk.subarray(from, from + this.#missing);
    this.#missing -= piece.length;
    this.consumed = from + piece.length;
    return piece;
  }
}
