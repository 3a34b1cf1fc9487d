import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { preparePassword } from '../password.ts';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';
import { ScramSecret } from './secret.ts';

/** The options of {@link Decoys}. */
export interface DecoyOptions {
  readonly hash: ScramHash;
  /** The server key: at least 32 bytes. */
  readonly key: Uint8Array;
  readonly iterations: number;
  /** The length of a salt in bytes. */
  readonly saltLength: number;
  /** Returns the form of a name that the store looks up. */
  readonly canonical: (username: string) => string;
  /** The derived secrets that stay in memory, about a kilobyte each. Default: 4096. */
  readonly maxDerived?: number;
}

/**
 * Secrets for users without a stored SCRAM secret. An unknown user gets a decoy, so that its
 * challenge looks like a known user's. A user with a clear-text password gets a derived secret.
 * Both have the same salt, which derives from the server key and the name, and the same iteration
 * count.
 */
export class Decoys {
  readonly iterations: number;
  readonly #hash: ScramHash;
  readonly #key: KeyObject;
  readonly #saltLength: number;
  readonly #canonical: (username: string) => string;
  readonly #maxDerived: number;
  readonly #decoyKey: Uint8Array;
  readonly #derived = new Map<string, Promise<ScramSecret>>();

  constructor({ hash, key, iterations, saltLength, canonical, maxDerived = 4096 }: DecoyOptions) {
    this.#hash = hash;
    this.#key = createSecretKey(key);
    this.iterations = iterations;
    this.#saltLength = saltLength;
    this.#canonical = canonical;
    this.#maxDerived = maxDerived;
    this.#decoyKey = randomBytes(SCRAM_HASHES[hash].length);
  }

  /** Returns the salt for this prepared name: the same each time, with and without `-PLUS`. */
  salt(username: string): Uint8Array {
    return this.#hmac('salt', this.#canonical(username)).subarray(0, this.#saltLength);
  }

  /** Returns a secret that no password fits. */
  decoySecret(username: string): ScramSecret {
    const { iterations } = this;
    const key = this.#decoyKey;
    return new ScramSecret({ hash: this.#hash, salt: this.salt(username), iterations, storedKey: key, serverKey: key });
  }

  /**
   * Resolves with the secret of this password, or with a decoy if no client can send the password.
   * Keeps the secrets that logins used last.
   */
  derive(username: string, password: string): Promise<ScramSecret> {
    if (preparePassword(password) === undefined) return Promise.resolve(this.decoySecret(username));
    const key = this.#hmac('password', username, password).toString('base64');
    const derived = this.#derived.get(key) ?? this.#derive(username, password, key);
    this.#derived.delete(key);
    this.#derived.set(key, derived);
    const [oldest] = this.#derived.keys();
    if (this.#derived.size > this.#maxDerived && oldest !== undefined) this.#derived.delete(oldest);
    return derived;
  }

  async #derive(username: string, password: string, key: string): Promise<ScramSecret> {
    try {
      return await ScramSecret.derive(password, {
        hash: this.#hash,
        salt: this.salt(username),
        iterations: this.iterations,
      });
    } catch (error) {
      this.#derived.delete(key);
      throw error;
    }
  }

  /** Only the last string may contain NUL, so that two lists of strings never join to one text. */
  #hmac(purpose: string, ...strings: readonly string[]): Buffer {
    const message = [purpose, SCRAM_HASHES[this.#hash].mechanism, ...strings].join('\0');
    return createHmac('sha512', this.#key).update(message).digest();
  }
}
