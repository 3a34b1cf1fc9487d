/** So many octets, as they are. */
export class Counted {
  /** How far the last chunk has been used. */
  at = 0;
  readonly facts = undefined;
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
    this.at = from + piece.length;
    return piece;
  }
}
