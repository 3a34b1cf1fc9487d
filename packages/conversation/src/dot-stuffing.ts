import { DotKernel } from './dot-kernel.ts';

/**
 * Takes the dot stuffing off a message (RFC 5321 §4.5.2) and finds its end, CRLF.CRLF and nothing else (§4.1.1.4). What comes out is
 * the same however the bytes were split.
 */
export class DotUnstuffer {
  /** How far the last chunk has been used. */
  consumed = 0;
  /** True once the end has come; what stands behind it in the chunk is not used. */
  ended = false;
  /** Octets that came out. */
  octets = 0;
  /** True if a CR or LF that is not part of a CRLF came along. */
  bareLineEndings = false;
  #state: State = LINE_START;
  readonly #kernel: DotKernel | null;

  /** The kernel is for the bulk of the message; without one it takes longer. */
  constructor(kernel: DotKernel | null = defaultKernel) {
    this.#kernel = kernel;
  }

  /** How the message came, so far. */
  get summary(): { readonly octets: number; readonly bareLineEndings: boolean } {
    return { octets: this.octets, bareLineEndings: this.bareLineEndings };
  }

  /**
   * The next piece of the message from the chunk at `from`: a view of it, perhaps empty. Call again while the chunk is not used up
   * and the end has not come. Overwrites the chunk where dots are taken out.
   */
  next(chunk: Buffer, from: number): Uint8Array {
    const piece = this.#next(chunk, from);
    this.octets += piece.length;
    return piece;
  }

  #next(chunk: Buffer, from: number): Uint8Array {
    this.consumed = from;
    if (this.#state === DOT_CR && chunk[from] !== LF) {
      // The CR that was held back belongs to the message, and there is no room for it in this chunk.
      this.#state = AFTER_CR;
      return Uint8Array.of(CR);
    }
    const end = Math.min(chunk.length, from + DotKernel.maxOctets);
    let to = from;
    let loaded = false;
    while (this.consumed < end && !this.ended) {
      if (this.#kernel !== null && end - this.consumed > MIN_KERNEL_OCTETS && this.#state <= AFTER_CR) {
        if (!loaded) this.#kernel.load(chunk.subarray(from, end));
        loaded = true;
        to = this.#skim(this.#kernel, chunk, from, to);
      }
      to = this.#step(chunk, end, to);
    }
    return chunk.subarray(from, to);
  }

  /** Has the kernel do what it can. Returns the place behind what came out. */
  #skim(kernel: DotKernel, chunk: Buffer, from: number, to: number): number {
    const octets = kernel.run(this.consumed - from, BEFORE[this.#state as 0 | 1 | 2]);
    // What stayed where it was needs no copying.
    if (to !== this.consumed || kernel.stopped !== this.consumed - from + octets) kernel.copy(octets, chunk, to);
    if (kernel.bareLineEndings) this.bareLineEndings = true;
    this.consumed = from + kernel.stopped;
    const last = kernel.octet(kernel.stopped - 1);
    const ends = last === LF && kernel.octet(kernel.stopped - 2) === CR;
    this.#state = last === CR ? AFTER_CR : ends ? LINE_START : IN_LINE;
    return to + octets;
  }

  /** Looks at the next octets one by one, at least so many that calling the kernel again is worth it. */
  #step(chunk: Buffer, end: number, to: number): number {
    let state = this.#state;
    let at = this.consumed;
    let out = to;
    for (const enough = at + MIN_KERNEL_OCTETS; at < end; at++) {
      if (at >= enough && state <= AFTER_CR && end - at > MIN_KERNEL_OCTETS) break;
      const octet = chunk[at] as number;
      if (state === LINE_START && octet === DOT) {
        state = DOT_FIRST;
        continue;
      }
      if (state === DOT_FIRST && octet === CR) {
        state = DOT_CR;
        continue;
      }
      if (state === DOT_CR) {
        if (octet === LF) {
          this.ended = true;
          at++;
          break;
        }
        chunk[out++] = CR;
        state = AFTER_CR;
      }
      if ((octet === LF) !== (state === AFTER_CR)) this.bareLineEndings = true;
      state = octet === CR ? AFTER_CR : octet === LF && state === AFTER_CR ? LINE_START : IN_LINE;
      chunk[out++] = octet;
    }
    this.consumed = at;
    this.#state = state;
    return out;
  }
}

type State = typeof LINE_START | typeof IN_LINE | typeof AFTER_CR | typeof DOT_FIRST | typeof DOT_CR;

const LINE_START = 0;
const IN_LINE = 1;
const AFTER_CR = 2;
/** A dot at the beginning of a line, which is not part of the message. */
const DOT_FIRST = 3;
/** After that a CR: it is, if no LF follows. */
const DOT_CR = 4;

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** Octets that bring about a state. */
const BEFORE = {
  [LINE_START]: [CR, LF],
  [IN_LINE]: [DOT, DOT],
  [AFTER_CR]: [DOT, CR],
} as const;

/** Fewer octets than this are done sooner without the kernel. */
const MIN_KERNEL_OCTETS = 64;

/** Keeps nothing from one call to the next. */
const defaultKernel = DotKernel.create();
