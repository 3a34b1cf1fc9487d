import { BareLineEnding, LineTooLong, MAX_BEGINNING_OCTETS } from './errors.ts';

/**
 * Finds lines in chunks of octets. Only CRLF ends a line (RFC 5321 §2.3.8). The lines do not depend
 * on how the octets are split into chunks.
 */
export class LineScanner {
  /** The number of octets of the last chunk that the scanner has consumed. */
  consumed = 0;
  /** The beginning of a line from earlier chunks, without CR and LF except for a CR at its end. */
  #begun: Buffer | undefined;
  /** True while the scanner discards the rest of a bad line. */
  #discarding = false;
  /** True if the last discarded octet is a CR. */
  #afterCr = false;

  /** True between two lines. */
  get idle(): boolean {
    return this.#begun === undefined && !this.#discarding;
  }

  /**
   * Returns the next line from the chunk at `from`, one character for each octet. Returns undefined
   * if the chunk ends within the line, and then the scanner has consumed the whole chunk.
   *
   * @throws LineTooLong, BareLineEnding as soon as the error is certain
   */
  scan(chunk: Buffer, from: number, maxOctets: number): string | undefined {
    this.consumed = from;
    if (this.#discarding) this.#discard(chunk);
    if (this.consumed === chunk.length) return undefined;
    if (this.#begun === undefined) {
      const lf = chunk.indexOf(LF, this.consumed);
      if (lf > this.consumed && lf - 1 - this.consumed <= maxOctets && chunk[lf - 1] === CR) {
        const line = chunk.toString('latin1', this.consumed, lf - 1);
        if (!line.includes('\r')) {
          this.consumed = lf + 1;
          return line;
        }
      }
    }
    return this.#scanSlowly(chunk, maxOctets);
  }

  /** The octets of a line that is not complete, as latin1. */
  get unfinished(): string {
    return this.#begun?.toString('latin1') ?? '';
  }

  /** Drops the beginning of a line. */
  reset(): void {
    this.#begun = undefined;
    this.#discarding = false;
    this.#afterCr = false;
  }

  /** Scans octet by octet. The first of the two decides: a line ending, or the limit. */
  #scanSlowly(chunk: Buffer, maxOctets: number): string | undefined {
    const begun = this.#begun ?? NO_OCTETS;
    if (begun[begun.length - 1] === CR) {
      if (chunk[this.consumed] !== LF) return this.#refuse(new BareLineEnding());
      this.consumed++;
      return this.#end(begun.toString('latin1', 0, begun.length - 1));
    }
    const start = this.consumed;
    const limit = start + maxOctets - begun.length;
    let end = start;
    while (end < chunk.length && end <= limit && chunk[end] !== CR && chunk[end] !== LF) end++;

    this.consumed = end;
    if (end > limit) {
      const beginning =
        begun.toString('latin1', 0, MAX_BEGINNING_OCTETS) +
        chunk.toString('latin1', start, start + MAX_BEGINNING_OCTETS);
      return this.#refuse(new LineTooLong(maxOctets, beginning.slice(0, MAX_BEGINNING_OCTETS)));
    }
    if (end === chunk.length || (chunk[end] === CR && end + 1 === chunk.length)) {
      // A copy: a view of half a line would keep the whole chunk in memory.
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

  /** Consumes the chunk up to the CRLF that ends the bad line, or the whole chunk. */
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

const CR = 0x0d;
const LF = 0x0a;
const NO_OCTETS = Buffer.alloc(0);
