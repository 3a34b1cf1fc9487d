import { STRENGTH } from '../strength.ts';

/** A hash of the SCRAM family, by its name in `node:crypto`. */
export type ScramHash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512' | 'sha3-512';

/** The properties of one hash in SCRAM. */
export interface ScramHashInfo {
  /** The mechanism's registered name, without `-PLUS`. */
  readonly mechanism: string;
  /** The length of a digest in bytes. Proofs, signatures and stored keys have the same length. */
  readonly length: number;
  /** The block size in bytes, to which HMAC pads a key (RFC 2104 §2, FIPS 202 §7). */
  readonly block: number;
  /**
   * True for SHA-1 to SHA-384, which under TLS need a -PLUS mechanism beside them. GNU SASL knows
   * SHA-1 and SHA-256, and refuses them there without one. No client needs the other two.
   */
  readonly needsPlusUnderTls: boolean;
}

/** The hashes of the family, the weakest first. */
export const SCRAM_HASHES: Readonly<Record<ScramHash, ScramHashInfo>> = {
  sha1: { mechanism: 'SCRAM-SHA-1', length: 20, block: 64, needsPlusUnderTls: true },
  sha224: { mechanism: 'SCRAM-SHA-224', length: 28, block: 64, needsPlusUnderTls: true },
  sha256: { mechanism: 'SCRAM-SHA-256', length: 32, block: 64, needsPlusUnderTls: true },
  sha384: { mechanism: 'SCRAM-SHA-384', length: 48, block: 128, needsPlusUnderTls: true },
  sha512: { mechanism: 'SCRAM-SHA-512', length: 64, block: 128, needsPlusUnderTls: false },
  'sha3-512': { mechanism: 'SCRAM-SHA3-512', length: 64, block: 72, needsPlusUnderTls: false },
};

/**
 * Returns the strength of the mechanism with this hash: the order of {@link SCRAM_HASHES}, within
 * the tier.
 */
export function scramStrength(hash: ScramHash, plus: boolean): number {
  const tier = plus ? STRENGTH.bound : STRENGTH.proof;
  return tier + 10 + Object.keys(SCRAM_HASHES).indexOf(hash);
}

/**
 * Returns the hash of a mechanism's name without `-PLUS`. Returns undefined for a mechanism outside
 * the family.
 */
export function hashOfMechanism(mechanism: string): ScramHash | undefined {
  return HASH_OF_MECHANISM.get(mechanism);
}

const HASH_OF_MECHANISM: ReadonlyMap<string, ScramHash> = new Map(
  (Object.keys(SCRAM_HASHES) as ScramHash[]).map((hash) => [SCRAM_HASHES[hash].mechanism, hash]),
);
