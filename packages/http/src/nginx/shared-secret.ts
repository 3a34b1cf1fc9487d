import { createHash, timingSafeEqual } from 'node:crypto';

/** A secret that nginx and this server share, in the field X-Auth-Key of nginx's requests. */
export class SharedSecret {
  readonly #digest: Buffer;

  /** @throws TypeError for an empty secret. */
  constructor(secret: string) {
    if (secret === '') throw new TypeError('secret: expected the value of X-Auth-Key, not an empty text');
    this.#digest = digestOf(Buffer.from(secret).toString('latin1'));
  }

  /**
   * Returns true for the secret, with one character for each octet. Digests have one length, so the
   * time of the comparison shows nothing of the secret.
   */
  equals(presented: string | readonly string[] | undefined): boolean {
    return typeof presented === 'string' && timingSafeEqual(digestOf(presented), this.#digest);
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
