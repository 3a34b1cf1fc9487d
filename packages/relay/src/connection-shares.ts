import { type Deadlines, TimedOut } from '@postern/conversation';
import { Congested } from './errors.ts';
import { Shares } from './shares.ts';
import { Turns } from './turns.ts';

/** How many places there are, and who may wait for one. */
export interface PlacesOptions {
  readonly places: number;
  /** The greatest number of places, and of waiting ones, of one client: a fraction of all, above 0 and at most 1. */
  readonly maxClientShare: number;
  /** How many may wait for a place. */
  readonly maxWaiting: number;
  /** How long one may wait, in milliseconds. */
  readonly timeout: number;
  readonly deadlines: Deadlines;
}

/** A number of places, of which each client has a share at most. Those that wait get a place in turn, client by client. */
export class ConnectionShares {
  readonly #options: PlacesOptions;
  readonly #taken: Shares;
  readonly #queued: Shares;
  readonly #turns = new Turns<Waiting>();

  constructor(options: PlacesOptions) {
    const { places, maxWaiting, maxClientShare } = options;
    this.#options = options;
    this.#taken = new Shares(places, shareOf(places, maxClientShare));
    this.#queued = new Shares(maxWaiting, shareOf(maxWaiting, maxClientShare));
  }

  get taken(): number {
    return this.#taken.taken;
  }

  get isFull(): boolean {
    return this.#taken.isExhausted;
  }

  /** True while anybody waits for a place. */
  get isAwaited(): boolean {
    return this.#turns.size > 0;
  }

  /** Returns the keys that have all of their share. */
  exhausted(keys: readonly string[]): readonly string[] {
    return this.#taken.exhausted(keys);
  }

  /** Takes a place if there is one for the holder of these keys. */
  take(keys: readonly string[]): boolean {
    return this.#taken.take(keys);
  }

  /** Waits for a place. Rejects with Congested if none comes in time, or too many wait. */
  async wait(keys: readonly string[]): Promise<void> {
    if (!this.#queued.take(keys)) throw new Congested();
    const { promise, resolve } = Promise.withResolvers<void>();
    const lane = keys[0] ?? '';
    const waiting: Waiting = { keys, resolve };
    this.#turns.add(lane, waiting);
    try {
      await this.#options.deadlines.within(this.#options.timeout, promise);
    } catch (error) {
      // A place that came too late is another's.
      if (!this.#turns.delete(lane, waiting)) this.give(keys);
      throw error instanceof TimedOut ? new Congested() : error;
    } finally {
      this.#queued.give(keys);
    }
  }

  /** Gives a place back. Those that wait and may have one now get it: two, where a user and a network waited for it. */
  give(keys: readonly string[]): void {
    this.#taken.give(keys);
    for (let next = this.#next(); next !== undefined; next = this.#next()) next.resolve();
  }

  /** Takes a place for the next that waits and may have one. */
  #next(): Waiting | undefined {
    return this.#turns.next((waiting) => this.#taken.take(waiting.keys));
  }
}

interface Waiting {
  readonly keys: readonly string[];
  readonly resolve: () => void;
}

/** Returns the whole number of things that a fraction of all of them is: 1 at least. */
export function shareOf(all: number, fraction: number): number {
  return Math.max(1, Math.floor(all * fraction));
}
