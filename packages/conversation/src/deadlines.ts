import { type Clock, systemClock } from './clock.ts';
import { Closing, TimedOut } from './errors.ts';

/**
 * The deadlines of all who wait on one server, kept by one coarse timer that runs only while somebody waits. A deadline passes up to
 * one granule late.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #granularity: number;
  readonly #waits = new Set<AnyWait>();
  readonly #watched = new WeakSet<AbortSignal>();
  #ticking = false;

  /** The granularity is in milliseconds. */
  constructor(clock: Clock = systemClock, granularity = 1000) {
    this.#clock = clock;
    this.#granularity = granularity;
  }

  /** How many milliseconds the wait has left; fewer than none if it could have expired by now. */
  left(wait: AnyWait): number {
    return wait.expiresAt - this.#clock.now();
  }

  /** Begins a wait of at most so many milliseconds, which also ends with Closing when the signal, if one is given, aborts. */
  wait<T = void>(milliseconds: number, closing?: AbortSignal): Wait<T> {
    const wait = new Wait<T>(this, this.#clock.now() + milliseconds, closing);
    this.#waits.add(wait);
    if (!this.#ticking) this.#schedule();
    if (closing !== undefined) this.#watch(closing);
    return wait;
  }

  /** What the work comes to, or TimedOut after so many milliseconds. */
  within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
    const wait = this.wait<T>(milliseconds);
    work.then(
      (value) => wait.end(value),
      (error: unknown) => wait.fail(error),
    );
    return wait.over;
  }

  /** Takes a wait that is over off the list. */
  forget(wait: AnyWait): void {
    this.#waits.delete(wait);
  }

  readonly #tick = (): void => {
    const now = this.#clock.now();
    for (const wait of this.#waits) {
      if (wait.expiresAt <= now) wait.fail(new TimedOut());
    }
    this.#ticking = false;
    if (this.#waits.size > 0) this.#schedule();
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
      for (const wait of this.#waits) {
        if (wait.closing === closing) wait.fail(new Closing());
      }
    });
  }
}

/** Somebody's waiting for one thing, which ends when it comes, when the deadline passes, or when the server closes. */
export class Wait<T = void> {
  readonly over: Promise<T>;
  readonly expiresAt: number;
  readonly closing: AbortSignal | undefined;
  readonly #deadlines: Deadlines;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  #isOver = false;

  constructor(deadlines: Deadlines, expiresAt: number, closing: AbortSignal | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.over = promise;
    this.expiresAt = expiresAt;
    this.closing = closing;
    this.#deadlines = deadlines;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** True once it has ended, in whatever way. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What was waited for is there. */
  end(value: T): void {
    this.#isOver = true;
    this.#deadlines.forget(this);
    this.#resolve(value);
  }

  fail(reason: unknown): void {
    this.#isOver = true;
    this.#deadlines.forget(this);
    this.#reject(reason);
  }
}

/** Somebody's wait, whatever it is for. */
type AnyWait = Pick<Wait<never>, 'expiresAt' | 'closing' | 'fail'>;
