import { SmtpTrouble } from './errors.ts';

/**
 * Puts a dot before every line that begins with one (RFC 5321 §4.5.2), chunk by chunk. A CR or LF that is not part of a CRLF is
 * refused: what the next server takes it for is not known, and a message could be read there as two.
 */
export class DotStuffer {
  #last = LF;
  #atLineStart = true;

  /** The chunk in pieces, which are views of it, with the dots between. Throws SmtpTrouble at a bare CR or LF. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    if (chunk.length === 0) return [];
    this.#refuseBare(chunk);
    const pieces: Uint8Array[] = [];
    let start = 0;
    if (this.#atLineStart && chunk[0] === DOT) pieces.push(A_DOT);
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, lf + 1)) {
      if (chunk[lf + 1] !== DOT) continue;
      pieces.push(chunk.subarray(start, lf + 1), A_DOT);
      start = lf + 1;
    }
    pieces.push(chunk.subarray(start));
    this.#last = chunk[chunk.length - 1] as number;
    this.#atLineStart = this.#last === LF;
    return pieces;
  }

  /** What ends the message: the line of one dot, after a line end if the message has none. Throws as `push` does. */
  end(): string {
    if (this.#last === CR) throw bare();
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n';
  }

  #refuseBare(chunk: Uint8Array): void {
    if (this.#last === CR && chunk[0] !== LF) throw bare();
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, lf + 1)) {
      if ((lf === 0 ? this.#last : chunk[lf - 1]) !== CR) throw bare();
    }
    for (let cr = chunk.indexOf(CR); cr !== -1; cr = chunk.indexOf(CR, cr + 1)) {
      if (cr + 1 < chunk.length && chunk[cr + 1] !== LF) throw bare();
    }
  }
}

function bare(): SmtpTrouble {
  return new SmtpTrouble('the message has a CR or LF that is not part of a CRLF');
}

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const A_DOT = Uint8Array.of(DOT);
