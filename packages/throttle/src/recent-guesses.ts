import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import type { Clock } from '@postern/core';

/** Which wrong passwords were tried of late: no password is kept, only its hash under a key that never leaves the process. */
export class RecentGuesses {
  readonly #key = createSecretKey(randomBytes(32));
  readonly #until = new Map<string, number>();
  readonly #clock: Clock;
  readonly #window: number;

  /** A guess is remembered for so many milliseconds. */
  constructor(clock: Clock, window: number) {
    this.#clock = clock;
    this.#window = window;
  }

  /** Remembers the guess; false if it was remembered already. */
  add(...guess: readonly string[]): boolean {
    const now = this.#clock.now();
    const digest = createHmac('sha256', this.#key).update(JSON.stringify(guess)).digest('base64');
    if ((this.#until.get(digest) ?? now) > now) return false;
    this.#forget(now);
    this.#until.set(digest, now + this.#window);
    return true;
  }

  /** All are remembered equally long, so that the oldest are the first to go. */
  #forget(now: number): void {
    for (const [digest, until] of this.#until) {
      if (until > now && this.#until.size < MOST) return;
      this.#until.delete(digest);
    }
  }
}

/** Beyond so many the oldest is forgotten, and counts again when it is tried again. */
const MOST = 10_000;
