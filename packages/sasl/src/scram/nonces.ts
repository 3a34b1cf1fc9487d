import { randomBytes } from 'node:crypto';

/**
 * Returns a source of nonces: 144 random bits each, as 24 printable characters without a comma (RFC
 * 5802 §5.1).
 */
export function randomNonces(): () => string {
  // One request for 128 nonces costs a twentieth of 128 requests.
  let pool = '';
  let used = 0;
  return () => {
    if (used === pool.length) {
      pool = randomBytes(NONCE_BYTES * 128).toString('base64');
      used = 0;
    }
    used += NONCE_CHARACTERS;
    return pool.slice(used - NONCE_CHARACTERS, used);
  };
}

/** The bytes of a nonce: a multiple of three, so that its base64 needs no padding. */
const NONCE_BYTES = 18;
const NONCE_CHARACTERS = 24;
