/**
 * Counts the LF without a CR before them. `previous` is the octet before the first one.
 */
export function countBareLf(bytes: Uint8Array, length: number, previous: number): number {
  let [count, before] = [0, previous];
  for (let index = 0; index < length; index += 1) {
    const octet = bytes[index] as number;
    if (octet === LF && before !== CR) count += 1;
    before = octet;
  }
  return count;
}

/** Copies octets to `target` with a CR before each LF that has none. Returns their new number. */
export function copyWithCrlf(bytes: Uint8Array, previous: number, target: Uint8Array): number {
  let [length, before] = [0, previous];
  for (const octet of bytes) {
    if (octet === LF && before !== CR) target[length++] = CR;
    target[length++] = octet;
    before = octet;
  }
  return length;
}

/**
 * Returns the octets of the CRLF that a message needs behind its last octet: 0 behind a line ending
 * and in an empty message.
 */
export function octetsOfEnd(last: number | undefined): number {
  return last === undefined || last === LF ? 0 : CRLF.length;
}

/** The line ending of RFC 5321 §2.3.8. */
export const CRLF: Uint8Array = Buffer.from('\r\n');
const LF = 10;
const CR = 13;
