/**
 * Finds a CR or LF that is not part of a CRLF (RFC 5321 §2.3.8), however the message is split into
 * chunks.
 */
export class LineEndings {
  #hasBare = false;
  #endsWithCr = false;

  /** True once the message has had a bare CR or LF. */
  get hasBare(): boolean {
    return this.#hasBare;
  }

  /**
   * Checks the next chunk. Returns true if it shows a bare CR or LF: its own, or the CR at the end
   * of the chunk before.
   */
  push(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return false;
    const hasBare = (this.#endsWithCr && chunk[0] !== LF) || this.#hasBareIn(chunk);
    this.#endsWithCr = chunk[chunk.length - 1] === CR;
    this.#hasBare ||= hasBare;
    return hasBare;
  }

  /** Ends the message: a CR at its end is bare. */
  end(): void {
    if (this.#endsWithCr) this.#hasBare = true;
  }

  #hasBareIn(chunk: Uint8Array): boolean {
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, lf + 1)) {
      if (lf === 0 ? !this.#endsWithCr : chunk[lf - 1] !== CR) return true;
    }
    for (let cr = chunk.indexOf(CR); cr !== -1; cr = chunk.indexOf(CR, cr + 1)) {
      if (cr + 1 < chunk.length && chunk[cr + 1] !== LF) return true;
    }
    return false;
  }
}

/** Finds a line of text that is too long, however the message is split into chunks. */
export class LineLengths {
  readonly #maxOctets: number;
  #isExceeded = false;
  /** The octets of the current line so far, with its CR. */
  #lineOctets = 0;

  /** @param maxOctets The most octets of a line, without its CRLF. */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /** True once a line has had more than `maxOctets`. */
  get isExceeded(): boolean {
    return this.#isExceeded;
  }

  /** Measures the lines of the next chunk. */
  push(chunk: Uint8Array): void {
    let from = 0;
    for (let lf = chunk.indexOf(LF); lf >= 0; lf = chunk.indexOf(LF, from)) {
      this.#grow(lf - from);
      this.#lineOctets = 0;
      from = lf + 1;
    }
    this.#grow(chunk.length - from);
  }

  #grow(octets: number): void {
    this.#lineOctets += octets;
    // One octet more than the text: its CR.
    if (this.#lineOctets > this.#maxOctets + 1) this.#isExceeded = true;
  }
}

const CR = 0x0d;
const LF = 0x0a;
