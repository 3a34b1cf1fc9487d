/**
 * Adds a dot before each line that begins with a dot (RFC 5321 §4.5.2, RFC 1939 §3), chunk by
 * chunk. A line begins behind each LF, also behind a bare one: a peer that ends lines at LF must
 * not see the end of the message early.
 */
export class DotStuffer {
  #atLineStart = true;

  /** Returns the chunk itself if none of its lines begins with a dot, else a copy with the dots. */
  push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const beginsWithDot = this.#atLineStart && bytes[0] === DOT;
    this.#atLineStart = bytes[bytes.length - 1] === LF;
    const first = bytes.indexOf(LF_DOT);
    if (!beginsWithDot && first === -1) return chunk;
    return copyLines(bytes, beginsWithDot, first) ?? copyOctets(bytes, beginsWithDot);
  }

  /**
   * Returns the end of the message: the line of one dot, after a CRLF if the message has none at
   * its end.
   */
  end(): string {
    return this.#atLineStart ? '.\r\n' : '\r\n.\r\n';
  }
}

/**
 * Copies what lies between two dots at once. Returns undefined for more dots than
 * {@link MAX_SEARCHED_DOTS}: there a search for each dot costs more than a look at each octet.
 */
function copyLines(bytes: Buffer, beginsWithDot: boolean, first: number): Uint8Array | undefined {
  const copy = Buffer.allocUnsafe(bytes.length + MAX_SEARCHED_DOTS + 1);
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
  length += bytes.copy(copy, length, from);
  return copy.subarray(0, length);
}

/** Copies octet by octet, so that a message of dots costs no more than another. */
function copyOctets(bytes: Buffer, beginsWithDot: boolean): Uint8Array {
  // A line that begins with a dot has at least two octets, except for the first and the last line
  // of the chunk.
  const copy = Buffer.allocUnsafe(bytes.length + (bytes.length >> 1) + 2);
  let length = 0;
  let atLineStart = beginsWithDot;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at] as number;
    if (atLineStart && octet === DOT) copy[length++] = DOT;
    copy[length++] = octet;
    atLineStart = octet === LF;
  }
  return copy.subarray(0, length);
}

const LF = 0x0a;
const DOT = 0x2e;
const LF_DOT = '\n.';
const MAX_SEARCHED_DOTS = 256;
