import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * The directives that enter both digests of an exchange, besides the secret (RFC 2831 §2.1.2.1).
 * Each is a byte string: one character for each byte that the client sent.
 */
export interface DigestInput {
  readonly nonce: string;
  readonly cnonce: string;
  readonly nc: string;
  readonly qop: string;
  readonly digestUri: string;
  readonly authzid: string | undefined;
}

/**
 * Returns the digest of user name, realm and password: 16 bytes, in this realm as good as the
 * password.
 */
export function userHash(username: Uint8Array, realm: Uint8Array, password: string): Buffer {
  const hash = createHash('md5').update(username).update(':').update(realm).update(':');
  return hash.update(latin1IfPossible(password)).digest();
}

/** Returns the client's proof that it knows the secret: 16 bytes. */
export function responseDigest(secret: Uint8Array, input: DigestInput): Buffer {
  return digest(secret, input, `AUTHENTICATE:${input.digestUri}`);
}

/** Returns the server's proof that it knows the secret: 16 bytes. */
export function rspauthDigest(secret: Uint8Array, input: DigestInput): Buffer {
  return digest(secret, input, `:${input.digestUri}`);
}

/**
 * Returns true if these are the digits of the digest, in lower case. Takes the same time for all
 * texts of 32 digits.
 */
export function isDigest(digits: string, expected: Buffer): boolean {
  return DIGITS.test(digits) && timingSafeEqual(Buffer.from(digits, 'hex'), expected);
}

/**
 * Returns the text in ISO 8859-1 if that has all its characters, else in UTF-8 (RFC 2831 §2.1.2.1).
 */
export function latin1IfPossible(text: string): Buffer {
  return Buffer.from(text, /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf8');
}

function digest(secret: Uint8Array, { nonce, cnonce, nc, qop, authzid }: DigestInput, a2: string): Buffer {
  const a1 = createHash('md5').update(secret).update(`:${nonce}:${cnonce}`, 'latin1');
  if (authzid !== undefined) a1.update(`:${authzid}`, 'latin1');
  return md5(`${a1.digest('hex')}:${nonce}:${nc}:${cnonce}:${qop}:${md5(a2).toString('hex')}`);
}

function md5(bytes: string): Buffer {
  return createHash('md5').update(bytes, 'latin1').digest();
}

/** The response-value of RFC 2831 §2.1.2. */
const DIGITS = /^[0-9a-f]{32}$/;
