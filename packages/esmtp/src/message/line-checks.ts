/** Finds a CR or LF that is not part of a CRLF (RFC 5321 §2.3.8), however the bytes are split. */
export class LineEndings {
  /** True once there was one. */
  bare = false;
  #endsWithCr = false;

  /** Looks through the next piece. Returns true if an octet of it shows a bare one, which may be the last piece's CR. */
  feed(piece: Uint8Array): boolean {
    if (piece.length === 0) return false;
    const bare = (this.#endsWithCr && piece[0] !== LF) || this.#hasBare(piece);
    this.#endsWithCr = piece[piece.length - 1] === CR;
    this.bare ||= bare;
    return bare;
  }

  /** No more comes: a CR at the end is one. */
  end(): void {
    if (this.#endsWithCr) this.bare = true;
  }

  #hasBare(piece: Uint8Array): boolean {
    for (let lf = piece.indexOf(LF); lf !== -1; lf = piece.indexOf(LF, lf + 1)) {
      if (lf === 0 ? !this.#endsWithCr : piece[lf - 1] !== CR) return true;
    }
    for (let cr = piece.indexOf(CR); cr !== -1; cr = piece.indexOf(CR, cr + 1)) {
      if (cr + 1 < piece.length && piece[cr + 1] !== LF) return true;
    }
    return false;
  }
}

/** Finds lines of message text that are too long, however its bytes are split. */
export class LineLengths {
  /** True if there was one. */
  exceeded = false;
  readonly #maximum: number;
  /** Octets so far of the line that is under way, with its CR if that has come. */
  #length = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Looks through the next piece of the message. */
  feed(piece: Uint8Array): void {
    let at = 0;
    for (let end = piece.indexOf(LF, at); end >= 0; end = piece.indexOf(LF, at)) {
      this.#grow(end - at);
      this.#length = 0;
      at = end + 1;
    }
    this.#grow(piece.length - at);
  }

  #grow(octets: number): void {
    this.#length += octets;
    // One more than the text, for the CR.
    if (this.#length > this.#maximum + 1) this.exceeded = true;
  }
}

const CR = 0x0d;
const LF = 0x0a;
