// Not the global of the same name, which is looked up anew each time.
import { performance } from 'node:perf_hooks';

/** Where time comes from; a test puts a clock of its own in its place. */
export interface Clock {
  /** Milliseconds, from any beginning, never backwards. */
  now(): number;
  /** Calls back once, after so many milliseconds, unless the timer is disposed of before. Keeps the process alive only if told to. */
  after(milliseconds: number, callback: () => void, keepsAlive?: boolean): Disposable;
  /**
   * Calls back once, after so many milliseconds and a fraction that does not depend on anything else,
   * unless the timer is disposed of before. Keeps the process alive. Left out where `after` does that.
   */
  afterExactly?(milliseconds: number, callback: () => void): Disposable;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, callback, keepsAlive = false) {
    const timer = setTimeout(callback, milliseconds);
    return keepsAlive ? timer : timer.unref();
  },
  afterExactly: (milliseconds, callback) => new ExactTimer(milliseconds, callback),
};

/** Calls back after so many milliseconds, as exactly as the clock can. Keeps the process alive. */
export function afterExactly(clock: Clock, milliseconds: number, callback: () => void): Disposable {
  return clock.afterExactly?.(milliseconds, callback) ?? clock.after(milliseconds, callback, true);
}

/**
 * The loop sleeps for whole milliseconds, from the end of its work. So a timer alone tells, by its fraction
 * of a millisecond, how long that work took. This one wakes early, and lets the loop turn until the time has come.
 */
class ExactTimer implements Disposable {
  readonly #at: number;
  readonly #callback: () => void;
  readonly #timeout: NodeJS.Timeout;
  #immediate: NodeJS.Immediate | undefined;

  constructor(milliseconds: number, callback: () => void) {
    this.#at = performance.now() + milliseconds;
    this.#callback = callback;
    this.#timeout = setTimeout(this.#turn, milliseconds - LATEST_WAKING_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
  }

  readonly #turn = (): void => {
    if (performance.now() < this.#at) this.#immediate = setImmediate(this.#turn);
    else this.#callback();
  };
}

/** The most that a timer comes late where the loop has nothing else to do, in milliseconds. */
const LATEST_WAKING_MS = 1;
