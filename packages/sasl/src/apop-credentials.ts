import { createHash, timingSafeEqual } from 'node:crypto';
import { PasswordProof } from '@postern/cred';
import { saslprep } from './saslprep/saslprep.ts';

/**
 * The client's proof by APOP (RFC 1939 §7): the MD5 digest of the greeting's timestamp and the
 * password. A store with clear-text passwords checks it.
 */
export class ApopCredentials extends PasswordProof {
  readonly username: string;
  readonly #timestamp: string;
  readonly #digest: Buffer;

  /** `timestamp` includes the angle brackets. `digest` is 32 hexadecimal digits. */
  constructor(username: string, timestamp: string, digest: string) {
    super();
    this.username = username;
    this.#timestamp = timestamp;
    this.#digest = Buffer.from(digest, 'hex');
  }

  /**
   * Returns true if the digest was made with this password, as it is or as SASLprep prepares it for
   * storage (RFC 6856 §2.2). The number of digests depends on the password alone.
   */
  override checkPassword(password: string): boolean {
    const asStored = this.#equals(password);
    const prepared = saslprep(password, 'stored');
    if (prepared === undefined || prepared === password) return asStored;
    const asPrepared = this.#equals(prepared);
    return asStored || asPrepared;
  }

  #equals(password: string): boolean {
    const expected = createHash('md5').update(this.#timestamp).update(password).digest();
    return expected.length === this.#digest.length && timingSafeEqual(expected, this.#digest);
  }
}
