import { ExpiringMap } from '@postern/core';

/**
 * The wrong one-time codes of the last hour, each beside the right password. A throttle counts a
 * repeated guess once, since a wrong password stays wrong. A wrong code does not: a client that
 * knows the password and repeats nine codes all day would make 25,000 guesses, and none counts. So
 * a refused code stays refused until it has not been sent for an hour.
 */
export class RefusedCodes {
  readonly #now: () => number;
  readonly #codes: ExpiringMap<string, true>;

  /** `now` returns the time in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
    this.#codes = new ExpiringMap(MAX_CODES, now);
  }

  /** Returns true if this code of the user was refused in the last hour. */
  has(name: string, code: string): boolean {
    return this.#codes.get(keyOf(name, code)) ?? false;
  }

  /** Refuses this code of the user for an hour from now. */
  add(name: string, code: string): void {
    this.#codes.set(keyOf(name, code), true, this.#now() + REFUSAL_MS);
  }
}

function keyOf(name: string, code: string): string {
  return `${code} ${name}`;
}

/** Above the window of a throttle, 15 minutes by default. */
const REFUSAL_MS = 60 * 60_000;

/** About 10 MiB. */
const MAX_CODES = 100_000;
