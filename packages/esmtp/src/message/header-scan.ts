/** Counts the `Received:` fields in a message's header (RFC 5321 §6.3), however its bytes are split. */
export class HeaderScan {
  /** Fields so far. */
  maxReceivedFields = 0;
  #inHeader = true;
  /** How much of the line's beginning is `received:`; -1 once it is something else. */
  #matched = 0;

  /** Looks through the next piece of the message. */
  feed(piece: Uint8Array): void {
    for (let at = 0; this.#inHeader && at < piece.length; ) at = this.#feedLine(piece, at);
  }

  /** Looks at what there is of a line, and returns where the next one begins. */
  #feedLine(piece: Uint8Array, from: number): number {
    let at = from;
    while (this.#matched >= 0 && at < piece.length) {
      const octet = piece[at] as number;
      // An empty line ends the header. A line that begins with a lone CR is none, and ends it as well: nothing is lost but a count.
      if (this.#matched === 0 && octet === CR) {
        this.#inHeader = false;
        return at;
      }
      const matches = octet === LOWER[this.#matched] || octet === UPPER[this.#matched];
      this.#matched = matches ? this.#matched + 1 : -1;
      if (this.#matched === LOWER.length) {
        this.maxReceivedFields++;
        this.#matched = -1;
      }
      if (this.#matched >= 0) at++;
    }
    if (this.#matched >= 0) return at;
    const lineFeed = piece.indexOf(LF, at);
    if (lineFeed < 0) return piece.length;
    this.#matched = 0;
    return lineFeed + 1;
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
const LOWER = new TextEncoder().encode('received:');
const UPPER = new TextEncoder().encode('RECEIVED:');
