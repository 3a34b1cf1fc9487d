import { createHash } from 'node:crypto';
import { encodeUtf8 } from '../bytes.ts';
import { BLOCK_OCTETS, INITIAL_STATE, md5Compress, md5From, STATE_OCTETS } from './md5.ts';

/**
 * Returns the two contexts of HMAC-MD5 for a password (RFC 2195 §2): the state of MD5 after the
 * outer pad, and the state after the inner pad, 32 octets. Dovecot stores them as `{CRAM-MD5}`.
 * CRAM-MD5 does not prepare the password.
 */
export function cramMd5Contexts(password: string): Buffer {
  const octets = encodeUtf8(password);
  // RFC 2104 §2: a key longer than a block is its digest.
  const key = octets.length > BLOCK_OCTETS ? createHash('md5').update(octets).digest() : octets;
  return Buffer.concat([OUTER_PAD, INNER_PAD].map((pad) => md5Compress(INITIAL_STATE, padded(key, pad))));
}

/** Returns the HMAC-MD5 of a challenge with the key of these contexts: 16 octets. */
export function cramMd5DigestOf(contexts: Uint8Array, challenge: Uint8Array): Buffer {
  const outer = contexts.subarray(0, STATE_OCTETS);
  const inner = contexts.subarray(STATE_OCTETS);
  return md5From(outer, BLOCK_OCTETS, md5From(inner, BLOCK_OCTETS, challenge));
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  return Uint8Array.from({ length: BLOCK_OCTETS }, (_, index) => pad ^ (key[index] ?? 0));
}

/** The octets of both contexts. */
export const CONTEXTS_OCTETS = 2 * STATE_OCTETS;

/** RFC 2104 §2. */
const OUTER_PAD = 0x5c;
const INNER_PAD = 0x36;
