import { BadMessage } from './errors.ts';

/**
 * Puts a dot before every line that begins with one (RFC 5321 §4.5.2), chunk by chunk. A CR or LF that is not part of a CRLF is
 * refused, and so is a NUL: what the next server takes them for is not known, and a message could be read there as two.
 */
export class DotStuffer {
  #last = LF;

  /** The chunk itself if no line of it begins with a dot, else a copy with the dots put in. Throws BadMessage. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    this.#refuseStray(chunk);
    const dots = this.#dots(chunk);
    this.#last = chunk[chunk.length - 1] as number;
    return dots.length === 0 ? chunk : stuffed(chunk, dots);
  }

  /** What ends the message: the line of one dot, after a line end if the message has none. Throws BadMessage. */
  end(): string {
    if (this.#last === CR) throw stray();
    return this.#last === LF ? '.\r\n' : '\r\n.\r\n';
  }

  /** Where a line begins with a dot. */
  #dots(chunk: Uint8Array): readonly number[] {
    const dots: number[] = [];
    if (this.#last === LF && chunk[0] === DOT) dots.push(0);
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, lf + 1)) {
      if (chunk[lf + 1] === DOT) dots.push(lf + 1);
    }
    return dots;
  }

  #refuseStray(chunk: Uint8Array): void {
    if (chunk.includes(0)) throw new BadMessage('the message has a NUL in it');
    if (this.#last === CR && chunk[0] !== LF) throw stray();
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, lf + 1)) {
      if ((lf === 0 ? this.#last : chunk[lf - 1]) !== CR) throw stray();
    }
    for (let cr = chunk.indexOf(CR); cr !== -1; cr = chunk.indexOf(CR, cr + 1)) {
      if (cr + 1 < chunk.length && chunk[cr + 1] !== LF) throw stray();
    }
  }
}

function stuffed(chunk: Uint8Array, dots: readonly number[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(chunk.length + dots.length);
  let from = 0;
  let to = 0;
  for (const dot of dots) {
    bytes.set(chunk.subarray(from, dot), to);
    to += dot - from;
    bytes[to++] = DOT;
    from = dot;
  }
  bytes.set(chunk.subarray(from), to);
  return bytes;
}

function stray(): BadMessage {
  return new BadMessage('the message has a CR or LF that is not part of a CRLF');
}

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
