import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { type Clock, ExpiringMap } from '@postern/core';

/**
 * The wrong passwords of the last minutes. It stores no password, only its HMAC under a key that
 * never leaves the process.
 */
export class RecentGuesses {
  readonly #key = createSecretKey(randomBytes(32));
  readonly #digests: ExpiringMap<string, true>;
  readonly #clock: Clock;
  readonly #window: number;

  /** `window` is the time in milliseconds for which a guess is stored. */
  constructor(clock: Clock, window: number) {
    this.#digests = new ExpiringMap(MAX_GUESSES, () => clock.now());
    this.#clock = clock;
    this.#window = window;
  }

  /** Stores the guess. Returns false if it is stored already. */
  add(...guess: readonly string[]): boolean {
    const text = JSON.stringify(guess);
    const digest = createHmac('sha256', this.#key).update(text).digest('base64');
    if (this.#digests.get(digest) !== undefined) return false;
    this.#digests.set(digest, true, this.#clock.now() + this.#window);
    return true;
  }
}

/** A guess that is displaced counts again when it is repeated. */
const MAX_GUESSES = 10_000;
