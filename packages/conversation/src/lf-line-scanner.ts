import { LineTooLong, MAX_BEGINNING_OCTETS } from './errors.ts';

/**
 * Finds lines in chunks of octets. Only LF ends a line, and a CR is an octet of the line. The lines
 * do not depend on how the octets are split into chunks.
 */
export class LfLineScanner {
  /** The number of octets of the last chunk that the scanner has consumed. */
  consumed = 0;
  /** The beginning of a line from earlier chunks. */
  #begun: Buffer | undefined;
  /** True while the scanner discards the rest of a line that is too long. */
  #discarding = false;

  /** True between two lines. */
  get idle(): boolean {
    return this.#begun === undefined && !this.#discarding;
  }

  /**
   * Returns the next line from the chunk at `from`, one character for each octet. Returns undefined
   * if the chunk ends within the line, and then the scanner has consumed the whole chunk.
   *
   * @throws LineTooLong as soon as the error is certain
   */
  scan(chunk: Buffer, from: number, maxOctets: number): string | undefined {
    const start = this.#discarding ? this.#discard(chunk, from) : from;
    this.consumed = start;
    if (start === chunk.length) return undefined;
    const lf = chunk.indexOf(LF, start);
    const end = lf < 0 ? chunk.length : lf;
    const begun = this.#begun;
    if (end - start + (begun?.length ?? 0) > maxOctets) this.#refuse(chunk, start, maxOctets);
    if (lf < 0) {
      // A copy: a view of half a line would keep the whole chunk in memory.
      this.#begun = Buffer.concat([begun ?? NO_OCTETS, chunk.subarray(start)]);
      this.consumed = end;
      return undefined;
    }
    this.consumed = lf + 1;
    const line = chunk.toString('latin1', start, lf);
    if (begun === undefined) return line;
    this.#begun = undefined;
    return begun.toString('latin1') + line;
  }

  /** The octets of a line that is not complete, as latin1. */
  get unfinished(): string {
    return this.#begun?.toString('latin1') ?? '';
  }

  /** Drops the beginning of a line. */
  reset(): void {
    this.#begun = undefined;
    this.#discarding = false;
  }

  #refuse(chunk: Buffer, start: number, maxOctets: number): never {
    const beginning = this.unfinished.slice(0, MAX_BEGINNING_OCTETS);
    const rest = chunk.toString('latin1', start, start + MAX_BEGINNING_OCTETS - beginning.length);
    this.#begun = undefined;
    this.#discarding = true;
    throw new LineTooLong(maxOctets, beginning + rest);
  }

  /** Returns the end of the discarded octets: behind the LF, or the end of the chunk. */
  #discard(chunk: Buffer, from: number): number {
    const lf = chunk.indexOf(LF, from);
    if (lf < 0) return chunk.length;
    this.#discarding = false;
    return lf + 1;
  }
}

const LF = 0x0a;
const NO_OCTETS = Buffer.alloc(0);
