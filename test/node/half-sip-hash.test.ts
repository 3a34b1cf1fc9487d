import { describe, expect, it } from 'vitest';
import { HalfSipHash } from '../../packages/node/src/half-sip-hash.ts';

describe('HalfSipHash', () => {
  // The first vectors of `vectors_hsip64` in the authors' reference code: the texts are the octets
  // 0, 1, 2 and so on.
  it.each([
    [0, '218d1f59b9b83cc8'],
    [1, 'be552412f8387315'],
    [2, '064f39ef7c50eb57'],
    [3, 'ce0f1a45f7060679'],
    [4, 'd5e78a175be52ea1'],
    [5, 'cb9d7c3f2f3db580'],
    [8, 'edfee820bce4858c'],
    [15, '217d0bcb4e81c902'],
    [63, '2ea63c71bf326087'],
  ])('hashes a text of %d octets as the reference code does', (octets, expected) => {
    const hash = new HalfSipHash(octetsUpTo(8));
    const { first, second } = hash.hash(octetsUpTo(octets).toString('latin1'));
    const words = Buffer.alloc(8);
    words.writeUInt32LE(first, 0);
    words.writeUInt32LE(second, 4);
    expect(words.toString('hex')).toBe(expected);
  });
});

function octetsUpTo(end: number): Buffer {
  return Buffer.from(Array.from({ length: end }, (_, octet) => octet));
}
