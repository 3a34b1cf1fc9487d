/**
 * Adds a dot before each line that begins with a dot (RFC 5321 §4.5.2, RFC 1939 §3), chunk by
 * chunk. A line begins behind each LF, also behind a bare one: a peer that ends lines at LF must
 * not see the end of the message early.
 */
export class DotStuffer {
  #atLineStart = true;

  /**
   * Returns the chunk itself if none of its lines begins with a dot, else a copy with the dots.
   * `text` is the chunk as latin1: a string is searched four times as fast as a buffer.
   */
  push(chunk: Uint8Array, text = latin1(chunk)): Uint8Array {
    if (chunk.length === 0) return chunk;
    const beginsWithDot = this.#atLineStart && text.startsWith('.');
    this.#atLineStart = text.endsWith('\n');
    if (!beginsWithDot && !text.includes('\n.')) return chunk;
    return stuffed(chunk, beginsWithDot);
  }

  /**
   * Returns the end of the message: the line of one dot, after a CRLF if the message has none at
   * its end.
   */
  end(): string {
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n';
  }
}

function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
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

const LF = 0x0a;
const DOT = 0x2e;
