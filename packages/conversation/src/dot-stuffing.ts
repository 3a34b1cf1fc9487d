/**
 * Takes the dot stuffing off a message (RFC 5321 §4.5.2) and finds its end, CRLF.CRLF and nothing else (§4.1.1.4). What comes out is
 * the same however the bytes were split.
 */
export class DotUnstuffer {
  /** How far the last chunk has been used. */
  at = 0;
  /** True once the end has come; what stands behind it in the chunk is not used. */
  ended = false;
  /** Octets that came out. */
  octets = 0;
  /** True if a CR or LF that is not part of a CRLF came along. */
  bareLineEndings = false;
  #state: State = LINE_START;

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
    let state = this.#state;
    let at = from;
    if (state === DOT_CR && chunk[at] !== LF) {
      // The CR that was held back belongs to the message, and this is the last moment to say so.
      this.at = from;
      this.#state = AFTER_CR;
      return CARRIAGE_RETURN;
    }
    let to = from;
    for (; at < chunk.length; at++) {
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
        chunk[to++] = CR;
        state = AFTER_CR;
      }
      if (octet === LF) {
        if (state !== AFTER_CR) this.bareLineEndings = true;
        state = state === AFTER_CR ? LINE_START : IN_LINE;
      } else {
        if (state === AFTER_CR) this.bareLineEndings = true;
        state = octet === CR ? AFTER_CR : IN_LINE;
      }
      chunk[to++] = octet;
    }
    this.at = at;
    this.#state = state;
    return chunk.subarray(from, to);
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
const CARRIAGE_RETURN = Uint8Array.of(CR);
