/**
 * Makes a CRLF of each CR and of each LF that is not part of a CRLF (RFC 5321 §2.3.8), chunk by chunk. A CR at the end of a chunk
 * leaves at once; the next chunk shows whether an LF is missing behind it. The output is the same however the octets are split.
 */
export class LineNormalizer {
  #endsWithCr = false;

  /**
   * Returns the piece itself where `bare` is false, else a normalized copy. `bare` must be true if an octet of the piece shows a bare CR
   * or LF: also a first octet that is no LF behind the last piece's CR.
   */
  push(piece: Uint8Array, bare: boolean): Uint8Array {
    const afterCr = this.#endsWithCr;
    if (piece.length > 0) this.#endsWithCr = piece[piece.length - 1] === CR;
    return bare ? normalized(piece, afterCr) : piece;
  }

  /** Returns the octets that complete the last line end: an LF if the message ends with a CR, else nothing. */
  end(): Uint8Array {
    return this.#endsWithCr ? Uint8Array.of(LF) : NO_OCTETS;
  }
}

/** Octet by octet, so that no message costs much more than another, and by indices, which are three times as fast as an iterator here. */
function normalized(piece: Uint8Array, afterCr: boolean): Uint8Array {
  const bytes = Buffer.allocUnsafe(piece.length + countMissing(piece, afterCr));
  let length = 0;
  let isAfterCr = afterCr;
  for (let at = 0; at < piece.length; at++) {
    const octet = piece[at] as number;
    if (isAfterCr !== (octet === LF)) bytes[length++] = isAfterCr ? LF : CR;
    bytes[length++] = octet;
    isAfterCr = octet === CR;
  }
  return bytes;
}

/** Counts the octets that the piece needs so that each CR is followed by an LF, and each LF follows a CR. */
function countMissing(piece: Uint8Array, afterCr: boolean): number {
  let missing = 0;
  let isAfterCr = afterCr;
  for (let at = 0; at < piece.length; at++) {
    const octet = piece[at] as number;
    if (isAfterCr !== (octet === LF)) missing++;
    isAfterCr = octet === CR;
  }
  return missing;
}

const CR = 0x0d;
const LF = 0x0a;
const NO_OCTETS = new Uint8Array(0);
