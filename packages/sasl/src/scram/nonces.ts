import { randomBytes } from 'node:crypto';

/** A source of nonces: 144 random bits each, as 24 printable characters without a comma (RFC 5802 §5.1). */
export function randomNonces(): () => string {
  // Asking for many at once costs a twentieth for each.
  let pool = Buffer.alloc(0);
  let used = 0;
  return () => {
    if (used === pool.length) {
      pool = randomBytes(NONCE_LENGTH * 128);
      used = 0;
    }
    used += NONCE_LENGTH;
    return pool.toString('base64', used - NONCE_LENGTH, used);
  };
}

const NONCE_LENGTH = 18;
