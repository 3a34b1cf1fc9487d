import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { Clock } from '@postern/core';

/**
 * The wrong passwords of the last minutes. It stores no password, only its HMAC under a key that
 * never leaves the process.
 */
export class RecentGuesses {
  readonly #key = createSecretKey(randomBytes(32));
  /** The time at which each digest is forgotten, the earliest first. */
  readonly #expiries = new Map<string, number>();
  readonly #clock: Clock;
  readonly #window: number;

  /** `window` is the time in milliseconds for which a guess is stored. */
  constructor(clock: Clock, window: number) {
    this.#clock = clock;
    this.#window = window;
  }

  /** Stores the guess. Returns false if it is stored already. */
  add(...guess: readonly string[]): boolean {
    const now = this.#clock.now();
    const text = JSON.stringify(guess);
    const digest = createHmac('sha256', this.#key).update(text).digest('base64');
    if ((this.#expiries.get(digest) ?? now) > now) return false;
    this.#forget(now);
    this.#expiries.set(digest, now + this.#window);
    return true;
  }

  /** Removes expired guesses, and the oldest guess if the table is full. */
  #forget(now: number): void {
    for (const [digest, expiry] of this.#expiries) {
      if (expiry > now && this.#expiries.size < MAX_GUESSES) return;
      this.#expiries.delete(digest);
    }
  }
}

/** A guess that is displaced counts again when it is repeated. */
const MAX_GUESSES = 10_000;
