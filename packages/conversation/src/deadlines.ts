import { type Clock, DenseSet, type Indexed, systemClock } from '@postern/core';
import { Closing, TimedOut } from './errors.ts';

/**
 * The deadlines of all waits on one server. One coarse timer serves them, and runs only while a
 * wait is open. A deadline passes up to one granule late.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #granularity: number;
  readonly #waiting = new DenseSet<Waiter>();
  readonly #watched = new WeakSet<AbortSignal>();
  /** The last element of `#watched`: mostly the only one. */
  #lastWatched: AbortSignal | undefined = undefined;
  #ticking = false;

  /** Takes the clock, and the granularity of the timer in milliseconds. */
  constructor(clock: Clock = systemClock, granularity = 1000) {
    this.#clock = clock;
    this.#granularity = granularity;
  }

  /** Returns the milliseconds until the waiter's deadline; negative after the deadline. */
  remaining(waiter: Waiter): number {
    return waiter.expiresAt - this.#clock.now();
  }

  /** Calls `callback` once after exactly `milliseconds`, unless the timer is disposed of before. */
  after(milliseconds: number, callback: () => void): Disposable {
    return this.#clock.after(milliseconds, callback);
  }

  /** Sets the waiter's deadline to `milliseconds` from now, at most to its {@link limit}. */
  grant(waiter: Waiter, milliseconds: number): void {
    waiter.expiresAt = Math.min(this.#clock.now() + milliseconds, waiter.latest);
  }

  /**
   * Limits all waits of the waiter, the current one included, to `milliseconds` from now. Infinity
   * removes the limit.
   */
  limit(waiter: Waiter, milliseconds: number): void {
    waiter.latest = milliseconds === Number.POSITIVE_INFINITY ? milliseconds : this.#clock.now() + milliseconds;
    waiter.expiresAt = Math.min(waiter.expiresAt, waiter.latest);
  }

  /** Returns true if the {@link limit} of the waiter is over. */
  isPast({ latest }: Waiter): boolean {
    return latest !== Number.POSITIVE_INFINITY && latest <= this.#clock.now();
  }

  /**
   * Begins a wait. Calls `waiter.fail` with TimedOut after `milliseconds`, and with Closing when
   * `shutdownSignal` aborts.
   */
  begin(waiter: Waiter, milliseconds: number, shutdownSignal?: AbortSignal): void {
    this.grant(waiter, milliseconds);
    waiter.shutdownSignal = shutdownSignal;
    this.#waiting.add(waiter);
    if (!this.#ticking) this.#schedule();
    if (shutdownSignal !== undefined && shutdownSignal !== this.#lastWatched) this.#watch(shutdownSignal);
  }

  /** Ends a wait without calling the waiter. */
  end(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  /** Begins a wait for one result, which the caller passes to {@link Wait.resolve}. */
  wait<T = void>(milliseconds: number, shutdownSignal?: AbortSignal): Wait<T> {
    const wait = new Wait<T>(this);
    this.begin(wait, milliseconds, shutdownSignal);
    return wait;
  }

  /**
   * Resolves as the work does, or rejects with TimedOut after `milliseconds`. The work itself
   * continues.
   */
  within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
    const wait = this.wait<T>(milliseconds);
    work.then(
      (result) => wait.resolve(result),
      (error: Error) => {
        this.end(wait);
        wait.fail(error);
      },
    );
    return wait.result;
  }

  readonly #tick = (): void => {
    const now = this.#clock.now();
    this.#fail(
      this.#waiting.members.filter(({ expiresAt }) => expiresAt <= now),
      () => new TimedOut(),
    );
    this.#ticking = false;
    if (this.#waiting.members.length > 0) this.#schedule();
  };

  #schedule(): void {
    this.#ticking = true;
    this.#clock.after(this.#granularity, this.#tick);
  }

  /**
   * Adds one listener for all waits: an AbortSignal scans its listeners whenever one is added or
   * removed.
   */
  #watch(signal: AbortSignal): void {
    this.#lastWatched = signal;
    if (this.#watched.has(signal)) return;
    this.#watched.add(signal);
    signal.addEventListener('abort', () => {
      this.#fail(
        this.#waiting.members.filter((waiter) => waiter.shutdownSignal === signal),
        () => new Closing(),
      );
    });
  }

  #fail(waiters: readonly Waiter[], reason: () => Error): void {
    for (const waiter of waiters) {
      this.end(waiter);
      waiter.fail(reason());
    }
  }
}

/** An object with a deadline. One object may serve many waits, one after the other. */
export abstract class Waiter implements Indexed {
  /** The deadline of the current wait: milliseconds by the clock. */
  expiresAt = 0;
  /** The end of all waits: milliseconds by the clock. */
  latest = Number.POSITIVE_INFINITY;
  /** The signal that ends the current wait with Closing. */
  shutdownSignal: AbortSignal | undefined = undefined;
  index = -1;

  /** Called once when the wait ends without a result: with TimedOut or Closing. */
  abstract fail(reason: Error): void;
}

/**
 * A wait for one result, which ends with the result, at the deadline, or when the server shuts
 * down.
 */
export class Wait<T = void> extends Waiter {
  /** Resolves with the result, or rejects with TimedOut or Closing. */
  readonly result: Promise<T>;
  readonly #deadlines: Deadlines;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: Error) => void;

  constructor(deadlines: Deadlines) {
    super();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.result = promise;
    this.#deadlines = deadlines;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Ends the wait with its result. */
  resolve(value: T): void {
    this.#deadlines.end(this);
    this.#resolve(value);
  }

  override fail(reason: Error): void {
    this.#reject(reason);
  }
}
