import type { Clock } from '@postern/core';
import type { FailureCounts } from './failure-counts.ts';
import { KnownNetworks } from './known-networks.ts';
import { RecentGuesses } from './recent-guesses.ts';

/** What a throttle remembers from one login to the next. */
export interface ThrottleMemory {
  readonly counts: FailureCounts;
  /** The number of processes that share the memory, and each limit of logins at the same time. */
  readonly workers: number;
  /** Stores the guess for `window` milliseconds. Returns false if it is stored already. */
  isNewGuess(guess: readonly string[], window: number): boolean;
  /** Returns true if the user has logged in from the network. */
  hasLoggedIn(hashedName: string, network: string): boolean;
  /** Stores a login of the user from the network. */
  addLogin(hashedName: string, network: string): void;
}

/** The memory of one throttle. Only its counts may be shared. */
export class OwnMemory implements ThrottleMemory {
  readonly workers = 1;
  readonly counts: FailureCounts;
  readonly #guesses: RecentGuesses;
  readonly #known = new KnownNetworks();

  constructor(clock: Clock, counts: FailureCounts) {
    this.counts = counts;
    this.#guesses = new RecentGuesses(clock);
  }

  isNewGuess(guess: readonly string[], window: number): boolean {
    return this.#guesses.add(this.#guesses.digestOf(guess), window);
  }

  hasLoggedIn(hashedName: string, network: string): boolean {
    return this.#known.has(hashedName, network);
  }

  addLogin(hashedName: string, network: string): void {
    this.#known.add(hashedName, network);
  }
}
