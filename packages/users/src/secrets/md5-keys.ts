import { createHash } from 'node:crypto';
import { cramMd5Contexts } from '@postern/sasl';
import { malformed } from './malformed.ts';
import { equalOctets } from './octets.ts';
import type { CramMd5Key, DigestMd5Key } from './secret.ts';

/**
 * Returns the key of Dovecot's `{CRAM-MD5}`.
 *
 * @throws SecretError unless there are 32 octets.
 */
export function parseCramMd5Key(octets: Buffer): CramMd5Key {
  if (octets.length !== CRAM_MD5_OCTETS) throw malformed('cram-md5', `${CRAM_MD5_OCTETS} octets`);
  return new StoredCramMd5Key(octets);
}

/**
 * Returns the key of Dovecot's `{DIGEST-MD5}`.
 *
 * @throws SecretError unless there are 16 octets.
 */
export function parseDigestMd5Key(octets: Buffer): DigestMd5Key {
  if (octets.length !== DIGEST_MD5_OCTETS) throw malformed('digest-md5', `${DIGEST_MD5_OCTETS} octets`);
  return new StoredDigestMd5Key(octets);
}

/** Returns true if a key of CRAM-MD5 was made of this password. */
export function isCramMd5KeyOf(password: string, { contexts }: CramMd5Key): boolean {
  return equalOctets(cramMd5Contexts(password), contexts);
}

/**
 * Returns true if a key of DIGEST-MD5 was made of this password and the user's stored name, as
 * Dovecot makes it: the realm follows the last `@` of the name, or is empty without one.
 */
export function isDigestMd5KeyOf(password: string, username: string, { digest }: DigestMd5Key): boolean {
  const separator = username.lastIndexOf('@');
  const userAndRealm =
    separator < 0 ? `${username}:` : `${username.slice(0, separator)}:${username.slice(separator + 1)}`;
  return equalOctets(createHash('md5').update(`${userAndRealm}:${password}`).digest(), digest);
}

/** Keeps the key, which is as good as the password, out of `util.inspect` and `JSON.stringify`. */
class StoredCramMd5Key implements CramMd5Key {
  readonly kind = 'cram-md5';
  readonly #contexts: Buffer;

  constructor(contexts: Buffer) {
    this.#contexts = contexts;
  }

  get contexts(): Buffer {
    return this.#contexts;
  }
}

/** Keeps the key, which is as good as the password, out of `util.inspect` and `JSON.stringify`. */
class StoredDigestMd5Key implements DigestMd5Key {
  readonly kind = 'digest-md5';
  readonly #digest: Buffer;

  constructor(digest: Buffer) {
    this.#digest = digest;
  }

  get digest(): Buffer {
    return this.#digest;
  }
}

/** The octets of two MD5 states. */
export const CRAM_MD5_OCTETS = 32;
/** The octets of an MD5 digest. */
export const DIGEST_MD5_OCTETS = 16;
