/** So many octets, as they are. */
export class Counted {
  /** How far the last chunk has been used. */
  consumed = 0;
  readonly summary = undefined;
  #missing: number;

  constructor(octets: number) {
    this.#missing = octets;
  }

  get ended(): boolean {
    return this.#missing <= 0;
  }

  /** The next piece, a view of the chunk from `from` on. */
  next(chunk: Buffer, from: number): Uint8Array {
    const piece = chunk.subarray(from, from + this.#missing);
    this.#missing -= piece.length;
    this.consumed = from + piece.length;
    return piece;
  }
}
