import { hash } from 'node:crypto';
import { cryptBase64 } from './crypt-base64.ts';
import { concat, runRounds } from './crypt-rounds.ts';

/**
 * Returns the SHA-crypt hash of a password, `$5$` with SHA-256 or `$6$` with SHA-512, after Ulrich
 * Drepper's "Unix crypt using SHA-256 and SHA-512". `setting` is a whole hash, or its beginning up
 * to the salt. The number of rounds is spelled as in the setting.
 *
 * @throws RangeError if the setting is malformed. As in libxcrypt, 1,000 to 999,999,999 rounds are
 * permitted, without leading zeros.
 */
export function shaCrypt(password: Buffer, setting: string): string {
  const [, magic, rounds, salt] = SETTING.exec(setting) ?? [];
  if (magic === undefined || salt === undefined) throw new RangeError('malformed setting of SHA-crypt');
  const { algorithm, octets, order } = magic === '$5$' ? SHA256 : SHA512;
  const digestOf = (...parts: Uint8Array[]): Buffer => {
    const input = concat(parts);
    const digest = Buffer.alloc(octets);
    digest.write(hash(algorithm, input, 'binary'), 'latin1');
    input.fill(0);
    return digest;
  };

  // The names are those of the specification.
  const saltOctets = Buffer.from(salt, 'latin1');
  const b = digestOf(password, saltOctets, password);
  const start = [password, saltOctets, cycled(b, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) start.push(bits & 1 ? b : password);
  const a = digestOf(...start);
  const dp = digestOf(...repeated(password, password.length));
  const p = cycled(dp, password.length);
  const ds = digestOf(...repeated(saltOctets, 16 + (a[0] ?? 0)));
  const s = cycled(ds, salt.length);
  runRounds(algorithm, a, p, s, Number(rounds ?? DEFAULT_ROUNDS));
  for (const secret of [b, dp, p]) secret.fill(0);

  const spelling = rounds === undefined ? '' : `rounds=${rounds}$`;
  return `${magic}${spelling}${salt}$${cryptBase64(a, order)}`;
}

/** Returns `length` octets: those of `octets` from the start again and again. */
function cycled(octets: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  for (let offset = 0; offset < length; offset += octets.length)
    result.set(octets.subarray(0, length - offset), offset);
  return result;
}

function repeated(octets: Buffer, times: number): Buffer[] {
  return Array.from({ length: times }, () => octets);
}

/**
 * The magic, the rounds and at most 16 characters of salt, which end before the next `$`. Without
 * the look-ahead, `rounds=` outside of the range would be read as the salt.
 */
const SETTING = /^(\$[56]\$)(?:rounds=([1-9]\d{3,8})\$)?(?!rounds=)([^$:\n]{0,16})(?:\$|$)/;

const DEFAULT_ROUNDS = 5000;

/** `order`: the order in which the octets of the digest are encoded. */
const SHA256 = {
  algorithm: 'sha256',
  octets: 32,
  // biome-ignore format: a table
  order: [
    [0, 10, 20], [21, 1, 11], [12, 22, 2], [3, 13, 23], [24, 4, 14], [15, 25, 5],
    [6, 16, 26], [27, 7, 17], [18, 28, 8], [9, 19, 29], [31, 30],
  ],
};

const SHA512 = {
  algorithm: 'sha512',
  octets: 64,
  // biome-ignore format: a table
  order: [
    [0, 21, 42], [22, 43, 1], [44, 2, 23], [3, 24, 45], [25, 46, 4], [47, 5, 26],
    [6, 27, 48], [28, 49, 7], [50, 8, 29], [9, 30, 51], [31, 52, 10], [53, 11, 32],
    [12, 33, 54], [34, 55, 13], [56, 14, 35], [15, 36, 57], [37, 58, 16], [59, 17, 38],
    [18, 39, 60], [40, 61, 19], [62, 20, 41], [63],
  ],
};
