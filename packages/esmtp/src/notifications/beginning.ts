/** Keeps a copy of a message's header, and of all of it where that is wanted, as long as it has no more than so many octets. */
export class Beginning {
  readonly #most: number;
  #wantsAll: boolean;
  #kept = Buffer.alloc(0);
  #length = 0;
  /** Up to the empty line, without it, or as much as there is room for; once that is known. */
  #headerLength: number | undefined;
  /** True once nothing more is kept. */
  #over = false;

  constructor(most: number, wantsAll: boolean) {
    this.#most = most;
    this.#wantsAll = wantsAll;
  }

  /** Keeps what is wanted of the next piece. */
  feed(piece: Uint8Array): void {
    if (this.#over) return;
    const before = this.#length;
    this.#append(this.#wanted(piece).subarray(0, this.#most - before));
    this.#headerLength ??= headerLength(this.#octets, before);
    const isCut = this.#length < before + piece.length;
    if (isCut) {
      this.#wantsAll = false;
      this.#headerLength ??= this.#octets.lastIndexOf('\n') + 1;
    }
    this.#over = this.#headerLength !== undefined && !this.#wantsAll;
    // Not the room that was there for more.
    if (this.#over) this.#kept = Buffer.from(this.header);
  }

  /** The header's fields; whole lines, where there are more of them than are kept. */
  get header(): Buffer {
    return this.#octets.subarray(0, this.#headerLength);
  }

  /** The whole message, if it is wanted and is here. */
  get all(): Buffer | undefined {
    return this.#wantsAll ? this.#octets : undefined;
  }

  get #octets(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  /** Without the body, which is most of the first piece. */
  #wanted(piece: Uint8Array): Uint8Array {
    const octets = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const end = this.#wantsAll ? -1 : octets.indexOf(EMPTY_LINE);
    return end < 0 ? octets : octets.subarray(0, end + EMPTY_LINE.length);
  }

  #append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.min(this.#most, Math.max(length, 2 * this.#kept.length)));
      grown.set(this.#octets);
      this.#kept = grown;
    }
    this.#kept.set(piece, this.#length);
    this.#length = length;
  }
}

/** Looks for the end of the header in what is new from there on. */
function headerLength(octets: Buffer, from: number): number | undefined {
  if (octets.subarray(0, 2).equals(LINE_END)) return 0;
  const end = octets.indexOf(EMPTY_LINE, Math.max(0, from - 3));
  return end < 0 ? undefined : end + 2;
}

const LINE_END = Buffer.from('\r\n');
/** With the end of the line before. */
const EMPTY_LINE = Buffer.from('\r\n\r\n');
