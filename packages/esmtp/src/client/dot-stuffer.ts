import { BadMessage } from './errors.ts';

/**
 * Puts a dot before every line that begins with one (RFC 5321 §4.5.2), chunk by chunk. A CR or LF that is not part of a CRLF is
 * refused, and so is a NUL: what the next server takes them for is not known, and a message could be read there as two.
 */
export class DotStuffer {
  #endsWithCr = false;
  #atLineStart = true;

  /** The chunk itself if no line of it begins with a dot, else a copy with the dots put in. Throws BadMessage. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    // Text is searched four times as fast as bytes.
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    this.#refuseStray(text);
    const beginsWithDot = this.#atLineStart && text.startsWith('.');
    this.#endsWithCr = text.endsWith('\r');
    this.#atLineStart = text.endsWith('\n');
    if (!beginsWithDot && !text.includes('\n.')) return chunk;
    return stuffed(chunk, beginsWithDot);
  }

  /** What ends the message: the line of one dot, after a line end if the message has none. Throws BadMessage. */
  end(): string {
    if (this.#endsWithCr) throw stray();
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n';
  }

  #refuseStray(text: string): void {
    if (text.includes('\0')) throw new BadMessage('the message has a NUL in it');
    if (this.#endsWithCr && !text.startsWith('\n')) throw stray();
    for (let lf = text.indexOf('\n'); lf !== -1; lf = text.indexOf('\n', lf + 1)) {
      if (lf === 0 ? !this.#endsWithCr : text.charCodeAt(lf - 1) !== CR) throw stray();
    }
    for (let cr = text.indexOf('\r'); cr !== -1; cr = text.indexOf('\r', cr + 1)) {
      if (cr + 1 < text.length && text.charCodeAt(cr + 1) !== LF) throw stray();
    }
  }
}

/** Octet by octet, so that a message of nothing but dots costs no more than another. */
function stuffed(chunk: Uint8Array, beginsWithDot: boolean): Uint8Array {
  // A line that begins with a dot has two octets at least, but for the first and the last one of the chunk.
  const bytes = Buffer.allocUnsafe(chunk.length + (chunk.length >> 1) + 2);
  let length = 0;
  let atLineStart = beginsWithDot;
  for (let at = 0; at < chunk.length; at++) {
    const octet = chunk[at] as number;
    if (atLineStart && octet === DOT) bytes[length++] = DOT;
    bytes[length++] = octet;
    atLineStart = octet === LF;
  }
  return bytes.subarray(0, length);
}

function stray(): BadMessage {
  return new BadMessage('the message has a CR or LF that is not part of a CRLF');
}

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
