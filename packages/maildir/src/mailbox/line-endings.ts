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

const LF = 10;
const CR = 13;
