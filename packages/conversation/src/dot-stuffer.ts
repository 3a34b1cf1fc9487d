import type { BufferPool } from './buffer-pool.ts';

/**
 * Adds a dot before each line that begins with a dot (RFC 5321 §4.5.2, RFC 1939 §3), chunk by
 * chunk. A line begins behind each LF, also behind a bare one: a peer that ends lines at LF must
 * not see the end of the message early.
 */
export class DotStuffer {
  readonly #buffers: BufferPool | undefined;
  /** The buffer of the pool, and a buffer without a pool. */
  #pooled: Buffer | undefined;
  #own: Buffer | undefined;
  #atLineStart = true;

  /**
   * Takes the buffers for copies of large chunks. {@link stuffedOctets} says how large they must
   * be. Default: a new buffer for each message.
   */
  constructor(buffers?: BufferPool) {
    this.#buffers = buffers;
  }

  /** Returns the most octets of a chunk with dots, and the octets of a buffer for it. */
  static stuffedOctets(chunkOctets: number): number {
    // A line that begins with a dot has at least two octets, except for the first and the last line
    // of the chunk.
    return chunkOctets + Math.max(chunkOctets >> 1, MAX_SEARCHED_DOTS) + 2;
  }

  /**
   * Returns the chunk itself if none of its lines begins with a dot, else a copy with the dots. The
   * next call may overwrite the copy.
   */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const beginsWithDot = this.#atLineStart && bytes[0] === DOT;
    this.#atLineStart = bytes[bytes.length - 1] === LF;
    const first = bytes.indexOf(LF_DOT);
    if (!beginsWithDot && first === -1) return chunk;
    const copy = this.#bufferFor(bytes.length);
    return copy.subarray(0, copyLines(bytes, beginsWithDot, first, copy) ?? copyOctets(bytes, beginsWithDot, copy));
  }

  /**
   * Returns the end of the message: the line of one dot, after a CRLF if the message has none at
   * its end. Gives the buffer back: call it only after all copies have been sent.
   */
  end(): string {
    if (this.#pooled !== undefined) this.#buffers?.give(this.#pooled);
    this.#pooled = undefined;
    this.#own = undefined;
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n';
  }

  #bufferFor(octets: number): Buffer {
    const needed = DotStuffer.stuffedOctets(octets);
    if (octets < MIN_KEPT_OCTETS) return Buffer.allocUnsafe(needed);
    if (this.#buffers !== undefined && needed <= this.#buffers.octets) {
      this.#pooled ??= this.#buffers.take();
      return this.#pooled;
    }
    if (this.#own === undefined || this.#own.length < needed) this.#own = Buffer.allocUnsafe(needed);
    return this.#own;
  }
}

/**
 * Copies what lies between two dots at once. Returns the octets of the copy; undefined for more
 * dots than
 * {@link MAX_SEARCHED_DOTS}: there a search for each dot costs more than a look at each octet.
 */
function copyLines(bytes: Buffer, beginsWithDot: boolean, first: number, copy: Buffer): number | undefined {
  let length = 0;
  let from = 0;
  if (beginsWithDot) copy[length++] = DOT;
  let dots = 0;
  for (let lf = first; lf !== -1; lf = bytes.indexOf(LF_DOT, from)) {
    if (++dots > MAX_SEARCHED_DOTS) return undefined;
    // The copy ends with the dot, and the next one begins with it.
    length += bytes.copy(copy, length, from, lf + 2);
    from = lf + 1;
  }
  return length + bytes.copy(copy, length, from);
}

/**
 * Copies octet by octet, so that a message of dots costs no more than another. Returns the octets
 * of the copy.
 */
function copyOctets(bytes: Buffer, beginsWithDot: boolean, copy: Buffer): number {
  let length = 0;
  let atLineStart = beginsWithDot;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at] as number;
    if (atLineStart && octet === DOT) copy[length++] = DOT;
    copy[length++] = octet;
    atLineStart = octet === LF;
  }
  return length;
}

const LF = 0x0a;
const DOT = 0x2e;
/** As octets: `indexOf` converts a string in each call. */
const LF_DOT = Buffer.from('\n.');
const MAX_SEARCHED_DOTS = 256;
/** A smaller new buffer is cheap, and lies in memory that the process has already. */
const MIN_KEPT_OCTETS = 16 * 1024;
