import { createHash } from 'node:crypto';
import { malformed } from './malformed.ts';
import { md4 } from './md4.ts';
import { equalOctets } from './octets.ts';
import type { PasswordHash } from './secret.ts';

/** One digest of a password, with or without a salt: `{SHA}`, `{SSHA256}`. */
export interface DigestScheme {
  /** The scheme in lower case: `sha256`, and `ssha256` with a salt. */
  readonly scheme: string;
  /** The name in node:crypto, or `md4`, which OpenSSL does not compute any more. */
  readonly digest: 'md4' | 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** The octets of a digest. */
  readonly octets: number;
  /** True if the octets of a salt follow those of the digest, which is of password and salt. */
  readonly salted: boolean;
}

/**
 * Returns the hash with these octets: a digest, and then the salt if the scheme has one.
 *
 * @throws SecretError if the number of octets is wrong.
 */
export function digestHash({ scheme, digest, octets, salted }: DigestScheme, stored: Buffer): PasswordHash {
  if (stored.length < octets || stored.length > (salted ? octets + MAX_SALT_OCTETS : octets)) {
    throw malformed(scheme, salted ? `${octets} octets and a salt` : `${octets} octets`);
  }
  const expected = stored.subarray(0, octets);
  const salt = stored.subarray(octets);
  return {
    kind: 'hash',
    scheme,
    work: { place: 'here', memory: 0 },
    compare: (password) => equalOctets(digestOf(digest, password, salt), expected),
  };
}

function digestOf(digest: DigestScheme['digest'], password: Uint8Array, salt: Uint8Array): Buffer {
  if (digest === 'md4') return md4(Buffer.concat([password, salt]));
  return createHash(digest).update(password).update(salt).digest();
}

const MAX_SALT_OCTETS = 1024;
