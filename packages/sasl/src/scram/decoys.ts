import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { preparePassword } from '../password.ts';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';
import { ScramSecret } from './secret.ts';

/** What decoys are made with. */
export interface DecoyOptions {
  readonly hash: ScramHash;
  readonly key: Uint8Array;
  readonly iterations: number;
  readonly saltLength: number;
  /** What the store makes of a name before it looks for it. */
  readonly canonical: (username: string) => string;
  /** How many derived secrets are kept, about a kilobyte each. Default: 4096. */
  readonly maxDerived?: number;
}

/**
 * Secrets for users of whom no secret is stored: of nobody, so that who does not exist is challenged like who does; and of users
 * whose password is known in clear text. Both have the same salt and iteration count, which follow from the server key and the name.
 */
export class Decoys {
  readonly iterations: number;
  readonly #hash: ScramHash;
  readonly #key: KeyObject;
  readonly #saltLength: number;
  readonly #canonical: (username: string) => string;
  readonly #maxDerived: number;
  readonly #nobodysKey: Uint8Array;
  readonly #derived = new Map<string, Promise<ScramSecret>>();

  constructor({ hash, key, iterations, saltLength, canonical, maxDerived = 4096 }: DecoyOptions) {
    this.#hash = hash;
    this.#key = createSecretKey(key);
    this.iterations = iterations;
    this.#saltLength = saltLength;
    this.#canonical = canonical;
    this.#maxDerived = maxDerived;
    this.#nobodysKey = randomBytes(SCRAM_HASHES[hash].length);
  }

  /** The salt for this prepared name: always the same, under the name with and the name without `-PLUS`. */
  salt(username: string): Uint8Array {
    return this.#hmac('salt', this.#canonical(username)).subarray(0, this.#saltLength);
  }

  /** A secret of no password. */
  decoySecret(username: string): ScramSecret {
    const { iterations } = this;
    const key = this.#nobodysKey;
    return new ScramSecret({ hash: this.#hash, salt: this.salt(username), iterations, storedKey: key, serverKey: key });
  }

  /** Resolves to the secret of this password, or of no password if it can be none. Keeps it as long as logins ask for it often. */
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

  /** Of strings that hold no NUL, or end with the one that does: two lists of them are never one text. */
  #hmac(purpose: string, ...strings: readonly string[]): Buffer {
    const message = [purpose, SCRAM_HASHES[this.#hash].mechanism, ...strings].join('\0');
    return createHmac('sha512', this.#key).update(message).digest();
  }
}
