import { timingSafeEqual } from 'node:crypto';

/**
 * Returns true if the two texts are equal. The duration does not depend on where the texts differ,
 * and on their lengths only in steps of 256 octets. Two digests would take longer.
 */
export function timingSafeEqualText(text: string, other: string): boolean {
  const length = Buffer.byteLength(text);
  const otherLength = Buffer.byteLength(other);
  const octets = Math.ceil((Math.max(length, otherLength) + 1) / BLOCK_OCTETS) * BLOCK_OCTETS;
  const both = Buffer.allocUnsafe(2 * octets).fill(0);
  both.write(text);
  both.write(other, octets);
  const same = timingSafeEqual(both.subarray(0, octets), both.subarray(octets));
  // `allocUnsafe` returns memory of the pool as it is: another caller could read the secrets.
  both.fill(0);
  return same && length === otherLength;
}

const BLOCK_OCTETS = 256;
