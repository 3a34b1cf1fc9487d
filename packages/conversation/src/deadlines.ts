import { type Clock, DenseSet, type Indexed, systemClock } from '@postern/core';
import { Closing, TimedOut } from './errors.ts';

/**
 * The deadlines of all who wait on one server, kept by one coarse timer that runs only while somebody waits. A deadline passes up to
 * one granule late.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #granularity: number;
  readonly #waiting = new DenseSet<Waiter>();
  readonly #watched = new WeakSet<AbortSignal>();
  #ticking = false;

  /** The granularity is in milliseconds. */
  constructor(clock: Clock = systemClock, granularity = 1000) {
    this.#clock = clock;
    this.#granularity = granularity;
  }

  /** How many milliseconds the waiter has left; fewer than none if it could have expired by now. */
  remaining(waiter: Waiter): number {
    return waiter.expiresAt - this.#clock.now();
  }

  /** Calls back once, exactly after `milliseconds`, unless the timer is disposed of before. */
  after(milliseconds: number, callback: () => void): Disposable {
    return this.#clock.after(milliseconds, callback);
  }

  /** Lets the waiter wait for `milliseconds` from now, but not beyond its {@link limit}. */
  grant(waiter: Waiter, milliseconds: number): void {
    waiter.expiresAt = Math.min(this.#clock.now() + milliseconds, waiter.latest);
  }

  /** Ends every wait of the waiter `milliseconds` from now, the current one as well. Infinity lifts the limit. */
  limit(waiter: Waiter, milliseconds: number): void {
    waiter.latest = milliseconds === Number.POSITIVE_INFINITY ? milliseconds : this.#clock.now() + milliseconds;
    waiter.expiresAt = Math.min(waiter.expiresAt, waiter.latest);
  }

  /** True if the waiter may wait no more, however long each wait was to be. */
  isPast({ latest }: Waiter): boolean {
    return latest !== Number.POSITIVE_INFINITY && latest <= this.#clock.now();
  }

  /**
   * Has the waiter wait at most so many milliseconds; then it fails with TimedOut. With Closing it fails when the signal, if one is
   * given, aborts.
   */
  begin(waiter: Waiter, milliseconds: number, closing?: AbortSignal): void {
    this.grant(waiter, milliseconds);
    waiter.shutdownSignal = closing;
    this.#waiting.add(waiter);
    if (!this.#ticking) this.#schedule();
    if (closing !== undefined) this.#watch(closing);
  }

  /** The waiter waits no longer. */
  end(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  /** Begins a wait as {@link begin} does, for something that may come. */
  wait<T = void>(milliseconds: number, closing?: AbortSignal): Wait<T> {
    const wait = new Wait<T>(this);
    this.begin(wait, milliseconds, closing);
    return wait;
  }

  /** What the work comes to, or TimedOut after so many milliseconds. */
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

  /** One listener for all who wait: an AbortSignal looks through its listeners at every change. */
  #watch(closing: AbortSignal): void {
    if (this.#watched.has(closing)) return;
    this.#watched.add(closing);
    closing.addEventListener('abort', () => {
      this.#fail(
        this.#waiting.members.filter((waiter) => waiter.shutdownSignal === closing),
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

/** Who waits, once or again and again: then the one object serves all waits. */
export abstract class Waiter implements Indexed {
  /** By the clock, in milliseconds. */
  expiresAt = 0;
  /** By the clock, in milliseconds: when the last wait ends at the latest. */
  latest = Number.POSITIVE_INFINITY;
  /** The signal that ends the wait as well, if one does. */
  shutdownSignal: AbortSignal | undefined = undefined;
  index = -1;

  /** It waits no longer, for this reason. */
  abstract fail(reason: Error): void;
}

/** Somebody's waiting for one thing, which ends when it comes, when the deadline passes, or when the server closes. */
export class Wait<T = void> extends Waiter {
  /** Resolves with what was waited for; rejects with TimedOut or Closing. */
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

  /** What was waited for is there. */
  resolve(value: T): void {
    this.#deadlines.end(this);
    this.#resolve(value);
  }

  override fail(reason: Error): void {
    this.#reject(reason);
  }
}
