import { DotKernel } from './dot-kernel.ts';

/**
 * Takes the dot stuffing off a message (RFC 5321 §4.5.2) and finds its end: only CRLF.CRLF
 * (§4.1.1.4). The message does not depend on how the octets are split into chunks.
 */
export class DotUnstuffer {
  /** The number of octets of the last chunk that are consumed. */
  consumed = 0;
  /** True once the end was found. The octets of the chunk after the end are not consumed. */
  ended = false;
  /** The size of the message so far, without dot stuffing. */
  octets = 0;
  /** True if the message has a CR or LF outside a CRLF. */
  bareLineEndings = false;
  #state: State = LINE_START;
  readonly #kernel: DotKernel | null;

  /** Takes the kernel for large chunks. With null, a loop in JavaScript handles all octets. */
  constructor(kernel: DotKernel | null = defaultKernel) {
    this.#kernel = kernel;
  }

  /** The facts about the message so far. */
  get summary(): { readonly octets: number; readonly bareLineEndings: boolean } {
    return { octets: this.octets, bareLineEndings: this.bareLineEndings };
  }

  /**
   * Returns the next piece of the message from the chunk at `from`: a view of the chunk, possibly
   * empty. The caller calls again until the chunk is consumed or the end is found. Overwrites the
   * chunk where it removes dots.
   */
  next(chunk: Buffer, from: number): Uint8Array {
    const piece = this.#next(chunk, from);
    this.octets += piece.length;
    return piece;
  }

  #next(chunk: Buffer, from: number): Uint8Array {
    this.consumed = from;
    if (this.#state === DOT_CR && chunk[from] !== LF) {
      // The CR held back from the last chunk belongs to the message. This chunk has no room before
      // `from`.
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

  /**
   * Lets the kernel process the chunk up to the next octet that needs a decision. Returns the end
   * of the output.
   */
  #skim(kernel: DotKernel, chunk: Buffer, from: number, to: number): number {
    const octets = kernel.run(this.consumed - from, BEFORE[this.#state as 0 | 1 | 2]);
    // Output that keeps its place needs no copy.
    if (to !== this.consumed || kernel.stopped !== this.consumed - from + octets) kernel.copy(octets, chunk, to);
    if (kernel.bareLineEndings) this.bareLineEndings = true;
    this.consumed = from + kernel.stopped;
    const last = kernel.octet(kernel.stopped - 1);
    const ends = last === LF && kernel.octet(kernel.stopped - 2) === CR;
    this.#state = last === CR ? AFTER_CR : ends ? LINE_START : IN_LINE;
    return to + octets;
  }

  /** Decides octet by octet, until calling the kernel again pays. Returns the end of the output. */
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
/** After a dot at the beginning of a line. The dot is not part of the message. */
const DOT_FIRST = 3;
/** After that dot and a CR. The CR is part of the message unless an LF follows. */
const DOT_CR = 4;

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** Two octets that lead to each state, for the kernel. */
const BEFORE = {
  [LINE_START]: [CR, LF],
  [IN_LINE]: [DOT, DOT],
  [AFTER_CR]: [DOT, CR],
} as const;

/** The fewest octets for which calling the kernel pays. */
const MIN_KERNEL_OCTETS = 64;

/** One kernel serves all messages: it keeps no state between two calls. */
const defaultKernel = DotKernel.create();
