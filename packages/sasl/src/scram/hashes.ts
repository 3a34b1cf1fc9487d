/** The hashes of the SCRAM family, by their names in node:crypto. */
export type ScramHash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512' | 'sha3-512';

/** What SCRAM needs to know of a hash. */
export interface ScramHashInfo {
  /** The mechanism's registered name, without `-PLUS`. */
  readonly mechanism: string;
  /** Bytes of a digest: the length of proofs, signatures and stored keys. */
  readonly length: number;
  /** Bytes that the hash takes at a time: what HMAC pads a key to (RFC 2104 §2, FIPS 202 §7). */
  readonly block: number;
}

/** The family, the weakest hash first. */
export const SCRAM_HASHES: Readonly<Record<ScramHash, ScramHashInfo>> = {
  sha1: { mechanism: 'SCRAM-SHA-1', length: 20, block: 64 },
  sha224: { mechanism: 'SCRAM-SHA-224', length: 28, block: 64 },
  sha256: { mechanism: 'SCRAM-SHA-256', length: 32, block: 64 },
  sha384: { mechanism: 'SCRAM-SHA-384', length: 48, block: 128 },
  sha512: { mechanism: 'SCRAM-SHA-512', length: 64, block: 128 },
  'sha3-512': { mechanism: 'SCRAM-SHA3-512', length: 64, block: 72 },
};

/** The hash of a mechanism's name without `-PLUS`, or undefined if it is none of the family. */
export function hashOfMechanism(mechanism: string): ScramHash | undefined {
  return HASH_OF_MECHANISM.get(mechanism);
}

const HASH_OF_MECHANISM: ReadonlyMap<string, ScramHash> = new Map(
  (Object.keys(SCRAM_HASHES) as ScramHash[]).map((hash) => [SCRAM_HASHES[hash].mechanism, hash]),
);
