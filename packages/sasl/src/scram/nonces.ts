import { randomBytes } from 'node:crypto';

/** A source of nonces: 144 random bits each, as 24 printable characters without a comma (RFC 5802 §5.1). */
export function randomNonces(): () => string {
  // Asking for many at once costs a twentieth for each.
  let pool = '';
  let used = 0;
  return () => {
    if (used === pool.length) {
      pool = randomBytes(BYTES * 128).toString('base64');
      used = 0;
    }
    used += CHARACTERS;
    return pool.slice(used - CHARACTERS, used);
  };
}

/** A multiple of three, so that one nonce's characters end where the next one's begin. */
const BYTES = 18;
const CHARACTERS = 24;
