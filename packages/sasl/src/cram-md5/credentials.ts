import { createHmac, timingSafeEqual } from 'node:crypto';
import { PasswordProof } from '@postern/cred';
import { CONTEXTS_OCTETS, cramMd5DigestOf } from './contexts.ts';

/** The client's response to a CRAM-MD5 challenge (RFC 2195 §2). */
export class CramMd5Response extends PasswordProof {
  readonly username: string;
  readonly #challenge: Uint8Array;
  readonly #digest: Buffer;

  /** `challenge` includes the angle brackets. `digest` is 32 hexadecimal digits. */
  constructor(username: string, challenge: Uint8Array, digest: string) {
    super();
    this.username = username;
    this.#challenge = challenge;
    this.#digest = Buffer.from(digest, 'hex');
  }

  override checkPassword(password: string): boolean {
    return this.#equals(cramMd5Digest(password, this.#challenge));
  }

  /**
   * Returns true if the digest was made with the password of these contexts: 32 octets, as
   * {@link cramMd5Contexts} returns them and Dovecot stores them as `{CRAM-MD5}`.
   */
  checkContexts(contexts: Uint8Array): boolean {
    return contexts.length === CONTEXTS_OCTETS && this.#equals(cramMd5DigestOf(contexts, this.#challenge));
  }

  #equals(expected: Buffer): boolean {
    return expected.length === this.#digest.length && timingSafeEqual(expected, this.#digest);
  }
}

/**
 * Returns the digest of a challenge: 16 bytes. RFC 2195 does not mention a preparation of the
 * password, and clients do not prepare it.
 */
export function cramMd5Digest(password: string, challenge: Uint8Array): Buffer {
  return createHmac('md5', password).update(challenge).digest();
}
