import { hash } from 'node:crypto';
import { cryptBase64 } from './crypt-base64.ts';
import { concat, runRounds } from './crypt-rounds.ts';

/**
 * Returns the MD5-crypt hash of a password: `$1$` of FreeBSD, or `$apr1$` of Apache, which differs
 * in the magic only. `setting` is a whole hash, or its beginning up to the salt.
 *
 * @throws RangeError if the setting is malformed.
 */
export function md5Crypt(password: Buffer, setting: string): string {
  const [, magic, salt] = SETTING.exec(setting) ?? [];
  if (magic === undefined || salt === undefined) throw new RangeError('malformed setting of MD5-crypt');
  const s = Buffer.from(salt, 'latin1');
  const digest = Buffer.alloc(DIGEST_OCTETS);
  const digestOf = (...parts: Uint8Array[]): void => {
    const input = concat(parts);
    digest.write(hash('md5', input, 'binary'), 'latin1');
    input.fill(0);
  };

  digestOf(password, s, password);
  const start: Uint8Array[] = [password, Buffer.from(magic), s];
  for (let left = password.length; left > 0; left -= DIGEST_OCTETS) start.push(digest.subarray(0, left));
  for (let bits = password.length; bits > 0; bits >>= 1) start.push(bits & 1 ? NUL : password.subarray(0, 1));
  digestOf(...start);
  runRounds('md5', digest, password, s, ROUNDS);
  return `${magic}${salt}$${md5CryptBase64(digest)}`;
}

/** Returns a digest in the base64 of MD5-crypt, which permutes the octets. */
export function md5CryptBase64(digest: Uint8Array): string {
  return cryptBase64(digest, ORDER);
}

/** The magic, and at most eight characters of salt, which end before the next `$`. */
const SETTING = /^(\$1\$|\$apr1\$)([^$:\n]{0,8})(?:\$|$)/;

const ROUNDS = 1000;

const DIGEST_OCTETS = 16;

const NUL = Uint8Array.of(0);

/** The order in which the octets of the digest are encoded. */
const ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]];
