/**
 * Keeps buffers of one size for reuse. A large new buffer costs more than the copy of its octets,
 * because the kernel clears each of its pages first.
 */
export class BufferPool {
  /** The octets of each buffer. */
  readonly octets: number;
  readonly #maxKept: number;
  readonly #kept: Buffer[] = [];

  /** The pool keeps at most `maxKept` buffers that are not in use. */
  constructor(octets: number, maxKept: number) {
    this.octets = octets;
    this.#maxKept = maxKept;
  }

  /** Returns a buffer with any content: a kept one, or a new one. */
  take(): Buffer {
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(this.octets);
  }

  /**
   * Accepts a buffer of {@link take} for its next user. No read and no write of the buffer may
   * remain: the next user's octets would get into it. A buffer with an unfinished write is left to
   * the garbage collector instead.
   */
  give(buffer: Buffer): void {
    if (this.#kept.length < this.#maxKept) this.#kept.push(buffer);
  }
}
