import { createHmac, timingSafeEqual } from 'node:crypto';
import { PasswordProof } from '@postern/cred';

/** The answer to a CRAM-MD5 challenge (RFC 2195 §2). */
export class CramMd5Response extends PasswordProof {
  readonly username: string;
  readonly #challenge: Uint8Array;
  readonly #digest: Buffer;

  /** The challenge is what the client was asked, angle brackets included; the digest is 32 hexadecimal digits. */
  constructor(username: string, challenge: Uint8Array, digest: string) {
    super();
    this.username = username;
    this.#challenge = challenge;
    this.#digest = Buffer.from(digest, 'hex');
  }

  override checkPassword(password: string): boolean {
    const expected = cramMd5Digest(password, this.#challenge);
    return expected.length === this.#digest.length && timingSafeEqual(expected, this.#digest);
  }
}

/** The digest of a challenge: 16 bytes. The password is taken as it is, since clients do not prepare it (RFC 2195 does not say). */
export function cramMd5Digest(password: string, challenge: Uint8Array): Buffer {
  return createHmac('md5', password).update(challenge).digest();
}
