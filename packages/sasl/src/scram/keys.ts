import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';
import { HmacKey, h, withRoom } from './hmac.ts';

/**
 * The keys of a password (RFC 5802 §3). The client uses ClientKey, the server StoredKey, both
 * ServerKey.
 */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/**
 * Derives the keys from a prepared password. PBKDF2, the expensive part, runs on Node's thread
 * pool.
 */
export async function deriveKeys(
  hash: ScramHash,
  prepared: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  const salted = await pbkdf2OnPool(prepared, salt, iterations, SCRAM_HASHES[hash].length, hash);
  const key = new HmacKey(hash, salted);
  const clientKey = key.digest(withRoom(hash, CLIENT_KEY));
  return { clientKey, storedKey: h(hash, clientKey), serverKey: key.digest(withRoom(hash, SERVER_KEY)) };
}

const pbkdf2OnPool = promisify(pbkdf2);

const CLIENT_KEY = 'Client Key';
const SERVER_KEY = 'Server Key';
