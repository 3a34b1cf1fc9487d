import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * What the two digests of an exchange are made over, besides the secret (RFC 2831 §2.1.2.1). Byte strings: one character for each
 * byte of what the client sent.
 */
export interface DigestInput {
  readonly nonce: string;
  readonly cnonce: string;
  readonly nc: string;
  readonly qop: string;
  readonly digestUri: string;
  readonly authzid: string | undefined;
}

/** The digest of user name, realm and password: 16 bytes, and within the realm as good as the password. */
export function userHash(username: Uint8Array, realm: Uint8Array, password: string): Buffer {
  const hash = createHash('md5').update(username).update(':').update(realm).update(':');
  return hash.update(latin1IfPossible(password)).digest();
}

/** The client's proof that it knows the secret: 16 bytes. */
export function responseDigest(secret: Uint8Array, input: DigestInput): Buffer {
  return digest(secret, input, `AUTHENTICATE:${input.digestUri}`);
}

/** The server's proof that it knows the secret: 16 bytes. */
export function rspauthDigest(secret: Uint8Array, input: DigestInput): Buffer {
  return digest(secret, input, `:${input.digestUri}`);
}

/** True if these are the digits of the digest, in lower case; takes the same time for whatever 32 digits. */
export function isDigest(digits: string, expected: Buffer): boolean {
  return DIGITS.test(digits) && timingSafeEqual(Buffer.from(digits, 'hex'), expected);
}

/** In ISO 8859-1 if it can be, else in UTF-8 (RFC 2831 §2.1.2.1). */
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

/** RFC 2831 §2.1.2, response-value. */
const DIGITS = /^[0-9a-f]{32}$/;
