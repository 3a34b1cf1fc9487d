import { hashOf, Random } from './random.ts';

/**
 * Returns copies of the pieces that the octets are cut into: single octets, short pieces or any, as
 * their hash decides.
 */
export function split(octets: Buffer): Buffer[] {
  const random = new Random(hashOf(octets));
  const kind = random.below(4);
  const longest = kind === 0 && octets.length < 64 ? 1 : kind <= 1 ? 12 : octets.length;
  const pieces: Buffer[] = [];
  for (let at = 0; at < octets.length; ) {
    const length = 1 + random.below(longest);
    // A copy: some parsers write into what they are given.
    pieces.push(Buffer.from(octets.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}
