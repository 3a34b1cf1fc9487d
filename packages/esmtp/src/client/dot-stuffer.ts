import { BadMessage } from './errors.ts';

/**
 * Adds a dot before each line that begins with a dot (RFC 5321 §4.5.2), chunk by chunk. A CR or LF
 * outside a CRLF and a NUL are errors: servers treat them differently, and one might read two
 * messages.
 */
export class DotStuffer {
  #endsWithCr = false;
  #atLineStart = true;

  /**
   * Returns the chunk itself if none of its lines begins with a dot, else a copy with the dots.
   *
   * @throws BadMessage
   */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    // A string is searched four times as fast as a buffer.
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    this.#checkOctets(text);
    const beginsWithDot = this.#atLineStart && text.startsWith('.');
    this.#endsWithCr = text.endsWith('\r');
    this.#atLineStart = text.endsWith('\n');
    if (!beginsWithDot && !text.includes('\n.')) return chunk;
    return stuffed(chunk, beginsWithDot);
  }

  /**
   * Returns the end of the message: the line of one dot, after a CRLF if the message has none at
   * its end.
   *
   * @throws BadMessage
   */
  end(): string {
    if (this.#endsWithCr) throw bareLineEnding();
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n';
  }

  #checkOctets(text: string): void {
    if (text.includes('\0')) throw new BadMessage('the message has a NUL');
    if (this.#endsWithCr && !text.startsWith('\n')) throw bareLineEnding();
    for (let lf = text.indexOf('\n'); lf !== -1; lf = text.indexOf('\n', lf + 1)) {
      if (lf === 0 ? !this.#endsWithCr : text.charCodeAt(lf - 1) !== CR) throw bareLineEnding();
    }
    for (let cr = text.indexOf('\r'); cr !== -1; cr = text.indexOf('\r', cr + 1)) {
      if (cr + 1 < text.length && text.charCodeAt(cr + 1) !== LF) throw bareLineEnding();
    }
  }
}

/** Copies octet by octet, so that a message of dots costs no more than another. */
function stuffed(chunk: Uint8Array, beginsWithDot: boolean): Uint8Array {
  // A line that begins with a dot has at least two octets, except for the first and the last line
  // of the chunk.
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

function bareLineEnding(): BadMessage {
  return new BadMessage('the message has a CR or LF outside a CRLF');
}

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
