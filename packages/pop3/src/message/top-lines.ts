/** Cuts a message behind its header, the empty line and a number of body lines (RFC 1939 §7). */
export class TopLines {
  /** True once the last line has been found. */
  ended = false;
  #bodyLines: number;
  #inHeader = true;
  /** The octets of the current line so far: 2 stands for more. */
  #lineOctets = 0;
  #lastOctet = LF;

  /** Takes the number of body lines; it may be Infinity. */
  constructor(bodyLines: number) {
    this.#bodyLines = bodyLines;
  }

  /** Returns the part of the next chunk that belongs to the top: a view. */
  push(chunk: Uint8Array): Uint8Array {
    let from = 0;
    while (!this.ended) {
      const lf = chunk.indexOf(LF, from);
      if (lf === -1) {
        this.#continueLine(chunk, from);
        return chunk;
      }
      this.#endLine(chunk, from, lf);
      from = lf + 1;
    }
    return chunk.subarray(0, from);
  }

  #continueLine(chunk: Uint8Array, from: number): void {
    if (from === chunk.length) return;
    this.#lineOctets = Math.min(2, this.#lineOctets + chunk.length - from);
    this.#lastOctet = chunk[chunk.length - 1] as number;
  }

  #endLine(chunk: Uint8Array, from: number, lf: number): void {
    const octets = this.#lineOctets + lf - from;
    const last = lf === from ? this.#lastOctet : chunk[lf - 1];
    this.#lineOctets = 0;
    if (!this.#inHeader) this.#bodyLines--;
    else if (octets === 0 || (octets === 1 && last === CR)) this.#inHeader = false;
    if (!this.#inHeader && this.#bodyLines <= 0) this.ended = true;
  }
}

const CR = 0x0d;
const LF = 0x0a;
