import { randomBytes } from 'node:crypto';
import { NO_BYTES } from '../bytes.ts';
import { preparePassword } from '../password.ts';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';
import { HmacKey, withRoom } from './hmac.ts';
import { ScramSecret } from './secret.ts';

/** The parameters of a SCRAM secret that its challenge shows to the client. */
export interface ScramParameters {
  readonly iterations: number;
  /** The length of the salt in bytes. */
  readonly saltLength: number;
}

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
  readonly #key: HmacKey;
  readonly #saltLength: number;
  readonly #own: ScramParameters;
  readonly #canonical: (username: string) => string;
  readonly #maxDerived: number;
  readonly #decoyKey: Uint8Array;
  readonly #derived = new Map<string, Promise<ScramSecret>>();

  constructor({ hash, key, iterations, saltLength, canonical, maxDerived = 4096 }: DecoyOptions) {
    this.#hash = hash;
    this.#key = new HmacKey('sha512', key);
    this.iterations = iterations;
    this.#saltLength = saltLength;
    this.#own = { iterations, saltLength };
    this.#canonical = canonical;
    this.#maxDerived = maxDerived;
    this.#decoyKey = randomBytes(SCRAM_HASHES[hash].length);
  }

  /** Returns the salt for this prepared name: the same each time, with and without `-PLUS`. */
  salt(username: string, length: number = this.#saltLength): Uint8Array {
    return this.#hmac('salt', this.#canonical(username)).subarray(0, length);
  }

  /**
   * Returns a secret that no password fits. Its iteration count and salt length are those of one
   * member of `parameters`; undefined, and an empty list, stand for the decoys' own. The name
   * decides which, so that another member changes the secrets of few names.
   */
  decoySecret(username: string, parameters: readonly (ScramParameters | undefined)[] = []): ScramSecret {
    const { iterations, saltLength } = this.#choose(username, parameters) ?? this.#own;
    const key = this.#decoyKey;
    const salt = this.salt(username, saltLength);
    return new ScramSecret({ hash: this.#hash, salt, iterations, storedKey: key, serverKey: key });
  }

  /**
   * Resolves with the secret of this password, or with a decoy if no client can send the password.
   * Keeps the secrets that logins used last.
   */
  derive(username: string, password: string): Promise<ScramSecret> {
    if (preparePassword(password) === undefined) return Promise.resolve(this.decoySecret(username));
    const key = this.#hmac('password', username, password).toString('latin1');
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

  /** Rendezvous hashing: each member has a random rank for this name, and the highest rank wins. */
  #choose(username: string, parameters: readonly (ScramParameters | undefined)[]): ScramParameters | undefined {
    let chosen: ScramParameters | undefined;
    let highest: Uint8Array = NO_BYTES;
    for (const member of parameters.length > 1 ? parameters : []) {
      const { iterations, saltLength } = member ?? this.#own;
      const rank = this.#hmac('parameters', `${iterations},${saltLength}`, this.#canonical(username));
      if (Buffer.compare(rank, highest) <= 0) continue;
      highest = rank;
      chosen = member;
    }
    return parameters.length > 1 ? chosen : parameters[0];
  }

  /** Only the last string may contain NUL, so that two lists of strings never join to one text. */
  #hmac(purpose: string, ...strings: readonly string[]): Buffer {
    const message = withRoom('sha512', [purpose, SCRAM_HASHES[this.#hash].mechanism, ...strings].join('\0'));
    const digest = this.#key.digest(message);
    // Memory of the pool: another caller could read the password and the pad of the key.
    message.fill(0);
    return digest;
  }
}
