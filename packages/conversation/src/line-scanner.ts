import { BareLineEnding, LineTooLong } from './errors.ts';

/**
 * Finds lines in chunks of bytes: a line ends with CRLF and with nothing else (RFC 5321 §2.3.8). What comes out is the same however
 * the bytes were split.
 */
export class LineScanner {
  /** How far the last chunk has been used. */
  consumed = 0;
  /** The beginning of a line, from chunks that are used up: without CR and LF, except perhaps for a CR at its end. */
  #begun: Buffer | undefined;
  /** True while what is left of a bad line is being discarded, and whether its last octet so far was a CR. */
  #discarding = false;
  #afterCr = false;

  /** True between two lines. */
  get idle(): boolean {
    return this.#begun === undefined && !this.#discarding;
  }

  /**
   * The next line, a character an octet, from the chunk at `from`; undefined if the chunk ends before it does, and then all of it is
   * used. Throws LineTooLong and BareLineEnding as soon as they are certain.
   */
  scan(chunk: Buffer, from: number, maximum: number): string | undefined {
    this.consumed = from;
    if (this.#discarding) this.#discard(chunk);
    if (this.consumed === chunk.length) return undefined;
    if (this.#begun === undefined) {
      const lf = chunk.indexOf(LF, this.consumed);
      if (lf > this.consumed && lf - 1 - this.consumed <= maximum && chunk[lf - 1] === CR) {
        const line = chunk.toString('latin1', this.consumed, lf - 1);
        if (!line.includes('\r')) {
          this.consumed = lf + 1;
          return line;
        }
      }
    }
    return this.#scanSlowly(chunk, maximum);
  }

  /** The octets of a line that has not ended, as latin1. */
  get unfinished(): string {
    return this.#begun?.toString('latin1') ?? '';
  }

  /** Drops what was begun. */
  reset(): void {
    this.#begun = undefined;
    this.#discarding = false;
    this.#afterCr = false;
  }

  /** Whatever comes first, a line ending or the limit, decides. */
  #scanSlowly(chunk: Buffer, maximum: number): string | undefined {
    const begun = this.#begun ?? NO_OCTETS;
    if (begun[begun.length - 1] === CR) {
      if (chunk[this.consumed] !== LF) return this.#refuse(new BareLineEnding());
      this.consumed++;
      return this.#end(begun.toString('latin1', 0, begun.length - 1));
    }
    const start = this.consumed;
    const limit = start + maximum - begun.length;
    let end = start;
    while (end < chunk.length && end <= limit && chunk[end] !== CR && chunk[end] !== LF) end++;

    this.consumed = end;
    if (end > limit) {
      const beginning =
        begun.toString('latin1', 0, MAX_BEGINNING_OCTETS) +
        chunk.toString('latin1', start, start + MAX_BEGINNING_OCTETS);
      return this.#refuse(new LineTooLong(maximum, beginning.slice(0, MAX_BEGINNING_OCTETS)));
    }
    if (end === chunk.length || (chunk[end] === CR && end + 1 === chunk.length)) {
      // A copy, so that half a line does not keep the whole chunk in memory.
      this.#begun = Buffer.concat([begun, chunk.subarray(start)]);
      this.consumed = chunk.length;
      return undefined;
    }
    this.consumed++;
    if (chunk[end] === LF || chunk[end + 1] !== LF) return this.#refuse(new BareLineEnding());
    this.consumed++;
    return this.#end(begun.toString('latin1') + chunk.toString('latin1', start, end));
  }

  #end(line: string): string {
    this.#begun = undefined;
    return line;
  }

  #refuse(error: Error): never {
    this.#begun = undefined;
    this.#discarding = true;
    this.#afterCr = false;
    throw error;
  }

  /** Uses the chunk up to the CRLF that ends the bad line, or all of it. */
  #discard(chunk: Buffer): void {
    while (this.consumed < chunk.length) {
      if (this.#afterCr && chunk[this.consumed] === LF) {
        this.consumed++;
        this.reset();
        return;
      }
      const cr = chunk.indexOf(CR, this.consumed);
      this.#afterCr = cr >= 0;
      this.consumed = cr < 0 ? chunk.length : cr + 1;
    }
  }
}

/** Octets of a bad line that the error tells. */
const MAX_BEGINNING_OCTETS = 5;
const CR = 0x0d;
const LF = 0x0a;
const NO_OCTETS = Buffer.alloc(0);
