import { md5CryptBase64 } from '../hashing/md5-crypt.ts';
import { malformed } from './malformed.ts';
import { equalOctets } from './octets.ts';
import type { PasswordHash } from './secret.ts';
import { refuseWeak, type SecretOptions } from './secret-options.ts';

/** Returns true for a text that begins as MD5-crypt, or as Apache's variant: `$1$` or `$apr1$`. */
export function isMd5Crypt(text: string): boolean {
  return text.startsWith('$1$') || text.startsWith('$apr1$');
}

/**
 * Parses `$apr1$salt$hash`, the default of htpasswd, and `$1$salt$hash`, which is weak.
 *
 * @throws SecretError for any other text, and for `$1$` unless the options allow it.
 */
export function parseMd5Crypt(text: string, options: SecretOptions): PasswordHash {
  const scheme = text.startsWith('$1$') ? 'md5-crypt' : 'apr1';
  if (scheme === 'md5-crypt') refuseWeak(scheme, options);
  const [, , salt = '', hash = '', ...more] = text.split('$', MAX_FIELDS);
  if (!SALT.test(salt) || !HASH.test(hash) || more.length > 0) {
    throw malformed(scheme, 'a salt of at most 8 characters and a hash of 22, after a $ each');
  }
  return {
    kind: 'hash',
    scheme,
    work: { place: 'thread', memory: 0 },
    compare: async (password, threads) =>
      equalOctets(Buffer.from(await threads.crypt(password, text)), Buffer.from(text)),
  };
}

/**
 * Parses the value of OpenLDAP's `{APR1}` and `{BSDMD5}`: the octets of the digest and then those
 * of the salt.
 *
 * @throws SecretError for a salt that no hash in text form can have, and for the weak `{BSDMD5}`.
 */
export function parseMd5CryptOctets(
  prefix: '$apr1$' | '$1$',
  octets: Uint8Array,
  options: SecretOptions,
): PasswordHash {
  const salt = Buffer.from(octets.subarray(DIGEST_OCTETS)).toString('latin1');
  return parseMd5Crypt(`${prefix}${salt}$${md5CryptBase64(octets)}`, options);
}

const DIGEST_OCTETS = 16;

/** The last character of a hash encodes 2 bits. */
const HASH = /^[./0-9A-Za-z]{21}[./01]$/;

/** The printable ASCII characters but those that libxcrypt refuses in a setting. */
const SALT = /^[^\0-\x20!$*:;\\\x7f-\uffff]{0,8}$/;

/** One more than the most fields, so that a further `$` shows. */
const MAX_FIELDS = 5;
