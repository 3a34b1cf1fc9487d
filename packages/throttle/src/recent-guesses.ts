import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { type Clock, ExpiringMap } from '@postern/core';

/**
 * The wrong passwords of the last minutes. It stores no password, only its HMAC under a key that
 * no store contains.
 */
export class RecentGuesses {
  readonly #key;
  readonly #digests: ExpiringMap<string, number>;
  readonly #clock: Clock;

  /** `key` is the key of the HMAC. Default: a random key. */
  constructor(clock: Clock, key: Uint8Array = randomBytes(32)) {
    this.#key = createSecretKey(key);
    this.#digests = new ExpiringMap(MAX_GUESSES, () => clock.now());
    this.#clock = clock;
  }

  /** Returns the HMAC of a guess. */
  digestOf(guess: readonly string[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(guess)).digest('base64');
  }

  /**
   * Stores the digest of a guess for `window` milliseconds. Returns false if it is stored already.
   */
  add(digest: string, window: number): boolean {
    if (this.#digests.get(digest) !== undefined) return false;
    const expiry = this.#clock.now() + window;
    this.#digests.set(digest, expiry, expiry);
    return true;
  }
}

/** A guess that is displaced counts again when it is repeated. */
const MAX_GUESSES = 10_000;
