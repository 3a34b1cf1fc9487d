import { hash, timingSafeEqual } from 'node:crypto';

/**
 * An algorithm of Digest (RFC 7616 §6.1). SHA-512-256 is absent: curl 7.88 computes SHA-256 under
 * that name.
 */
export type DigestAlgorithm = 'SHA-256' | 'MD5';

/** The fields of a request that enter its digest (RFC 7616 §3.4.1), as byte strings. */
export interface DigestInput {
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly nc: string;
  readonly cnonce: string;
}

/** Returns the digest of a byte string, one character for each octet, in hexadecimal digits. */
export function h(algorithm: DigestAlgorithm, octets: string): string {
  return hash(HASHES[algorithm], Buffer.from(octets, 'latin1'), 'hex');
}

/** Returns the client's digest for the secret H(A1) (RFC 7616 §3.4.1), with `qop=auth`. */
export function responseDigest(algorithm: DigestAlgorithm, secret: string, input: DigestInput): string {
  return digest(algorithm, secret, input, `${input.method}:${input.uri}`);
}

/** Returns the server's own digest for the secret H(A1) (RFC 7616 §3.5). */
export function rspauthDigest(algorithm: DigestAlgorithm, secret: string, input: DigestInput): string {
  return digest(algorithm, secret, input, `:${input.uri}`);
}

/** Returns true for two equal digests of one algorithm. The time does not depend on the digits. */
export function isSameDigest(digits: string, expected: string): boolean {
  return digits.length === expected.length && timingSafeEqual(Buffer.from(digits), Buffer.from(expected));
}

/** Returns the number of hexadecimal digits of a digest. */
export function digitsOf(algorithm: DigestAlgorithm): number {
  return algorithm === 'SHA-256' ? 64 : 32;
}

/**
 * Returns the hash of a user name in a realm (RFC 7616 §3.4.4), in hexadecimal digits. An index of
 * users by this hash serves the option `usernameOf` of {@link digest}.
 */
export function digestUserhash(username: string, realm: string, algorithm: DigestAlgorithm = 'SHA-256'): string {
  return h(algorithm, `${byteString(username)}:${realm}`);
}

/** Returns a text in UTF-8, with one character for each octet. */
export function byteString(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function digest(algorithm: DigestAlgorithm, secret: string, input: DigestInput, a2: string): string {
  const { nonce, nc, cnonce } = input;
  return h(algorithm, `${secret}:${nonce}:${nc}:${cnonce}:auth:${h(algorithm, a2)}`);
}

const HASHES = { 'SHA-256': 'sha256', MD5: 'md5' } as const satisfies Record<DigestAlgorithm, string>;
