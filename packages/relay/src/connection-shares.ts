import { type Deadlines, TimedOut } from '@postern/conversation';
import { Congested } from './errors.ts';
import { FairQueue } from './fair-queue.ts';
import { Shares } from './shares.ts';

/** The number of connections, and the limits of the queue for them. */
export interface ConnectionSharesOptions {
  readonly maxConnections: number;
  /**
   * The most connections, and the most places in the queue, of one client: a fraction above 0 and
   * at most 1.
   */
  readonly maxClientShare: number;
  /** The most waiters in the queue. */
  readonly maxWaiting: number;
  /** The most milliseconds in the queue. */
  readonly timeout: number;
  readonly deadlines: Deadlines;
}

/**
 * Counts the connections in use. Each client has at most its share. Waiting clients get connections
 * in turn.
 */
export class ConnectionShares {
  readonly #options: ConnectionSharesOptions;
  readonly #taken: Shares;
  readonly #queued: Shares;
  readonly #turns = new FairQueue<Waiter>();

  constructor(options: ConnectionSharesOptions) {
    const { maxConnections, maxWaiting, maxClientShare } = options;
    this.#options = options;
    this.#taken = new Shares(maxConnections, shareOf(maxConnections, maxClientShare));
    this.#queued = new Shares(maxWaiting, shareOf(maxWaiting, maxClientShare));
  }

  get taken(): number {
    return this.#taken.taken;
  }

  get isFull(): boolean {
    return this.#taken.isExhausted;
  }

  /** True while the queue is not empty. */
  get isAwaited(): boolean {
    return this.#turns.size > 0;
  }

  /** Returns the keys that have used up their share. */
  exhausted(keys: readonly string[]): readonly string[] {
    return this.#taken.exhausted(keys);
  }

  /**
   * Counts one more connection for these keys. Returns false and counts nothing if a share is used
   * up.
   */
  take(keys: readonly string[]): boolean {
    return this.#taken.take(keys);
  }

  /**
   * Waits for a connection of these keys to become free.
   *
   * @throws Congested after the timeout, or if the queue is full
   */
  async wait(keys: readonly string[]): Promise<void> {
    if (!this.#queued.take(keys)) throw new Congested();
    const { promise, resolve } = Promise.withResolvers<void>();
    const queue = keys[0] ?? '';
    const waiter: Waiter = { keys, resolve };
    this.#turns.add(queue, waiter);
    try {
      await this.#options.deadlines.within(this.#options.timeout, promise);
    } catch (error) {
      // A connection that became free after the timeout is passed on.
      if (!this.#turns.delete(queue, waiter)) this.give(keys);
      throw error instanceof TimedOut ? new Congested() : error;
    } finally {
      this.#queued.give(keys);
    }
  }

  /**
   * Counts one connection less. Serves all waiters that now have a share: two, if a user and a
   * network waited.
   */
  give(keys: readonly string[]): void {
    this.#taken.give(keys);
    for (let next = this.#next(); next !== undefined; next = this.#next()) next.resolve();
  }

  /** Counts a connection for the next waiter that has a share, and returns the waiter. */
  #next(): Waiter | undefined {
    return this.#turns.next((waiter) => this.#taken.take(waiter.keys));
  }
}

interface Waiter {
  readonly keys: readonly string[];
  readonly resolve: () => void;
}

/** Returns the share of one client: the fraction of all, rounded down, at least 1. */
export function shareOf(all: number, fraction: number): number {
  return Math.max(1, Math.floor(all * fraction));
}
