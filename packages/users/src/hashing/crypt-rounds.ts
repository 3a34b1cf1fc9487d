import { hash } from 'node:crypto';

/**
 * Runs the rounds that MD5-crypt and SHA-crypt share, and writes the result into `digest`. A round
 * hashes the last digest, the password `p` and the salt `s` in an order that repeats after 42
 * rounds (2 · 3 · 7). The octets of each order are laid out once, so a round writes one digest.
 */
export function runRounds(algorithm: string, digest: Buffer, p: Buffer, s: Buffer, rounds: number): void {
  const layouts = Array.from({ length: 8 }, (_, kind) => layout(digest.length, p, s, kind));
  // Node returns a digest as a string in a third of the time that a new buffer takes.
  let text = digest.toString('latin1');
  for (let round = 0; round < rounds; round++) {
    const kind = (round & 1 ? ODD : 0) | (round % 3 ? SALT : 0) | (round % 7 ? PASSWORD : 0);
    const { octets, offset } = layouts[kind] as Layout;
    octets.write(text, offset, 'latin1');
    text = hash(algorithm, octets, 'binary');
  }
  digest.write(text, 'latin1');
  for (const { octets } of layouts) octets.fill(0);
}

/** The input of one kind of round, with space for the digest at `offset`. */
interface Layout {
  readonly octets: Buffer;
  readonly offset: number;
}

function layout(digestOctets: number, p: Buffer, s: Buffer, kind: number): Layout {
  const middle = [...(kind & SALT ? [s] : []), ...(kind & PASSWORD ? [p] : [])];
  const space = Buffer.alloc(digestOctets);
  const octets = concat(kind & ODD ? [p, ...middle, space] : [space, ...middle, p]);
  return { octets, offset: kind & ODD ? octets.length - digestOctets : 0 };
}

/** Joins the octets in memory of their own, which can be cleared. */
export function concat(parts: readonly Uint8Array[]): Buffer {
  const joined = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** The properties of a round, as bits. */
const ODD = 1;
const SALT = 2;
const PASSWORD = 4;
