// The import is faster than the global `performance`, a getter that runs on each access.
import { performance } from 'node:perf_hooks';

/**
 * A source of time and of timers. Servers use {@link systemClock}; a test passes a clock that it
 * moves itself, so that no test waits.
 */
export interface Clock {
  /** Returns the time in milliseconds since an arbitrary start. The time never goes backwards. */
  now(): number;

  /**
   * Calls `callback` once after `milliseconds`, unless the returned timer is disposed of first.
   * The timer keeps the process alive only if `keepsAlive` is true. Default: false.
   */
  after(milliseconds: number, callback: () => void, keepsAlive?: boolean): Disposable;

  /**
   * Calls `callback` once, accurate to a fraction of a millisecond, and keeps the process alive.
   * A clock whose `after` is as accurate leaves this method out. Call it through
   * {@link afterExactly}.
   */
  afterExactly?(milliseconds: number, callback: () => void): Disposable;
}

/** The clock of the operating system: monotonic, with the timers of Node. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, callback, keepsAlive = false) {
    const timer = setTimeout(callback, milliseconds);
    return keepsAlive ? timer : timer.unref();
  },
  afterExactly: (milliseconds, callback) => new ExactTimer(milliseconds, callback),
};

/**
 * Calls `callback` once after `milliseconds`, as accurately as the clock can, and keeps the process
 * alive. Use it where the moment itself must not reveal how long earlier work took.
 */
export function afterExactly(clock: Clock, milliseconds: number, callback: () => void): Disposable {
  return clock.afterExactly?.(milliseconds, callback) ?? clock.after(milliseconds, callback, true);
}

/**
 * A timer without the rounding of `setTimeout`. The event loop sleeps for whole milliseconds,
 * counted from the end of its last turn. The fraction at which a plain timer fires therefore
 * reveals how long that turn took. This timer wakes early and polls until its exact time.
 */
class ExactTimer implements Disposable {
  readonly #time: number;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(milliseconds: number, callback: () => void) {
    this.#time = performance.now() + milliseconds;
    this.#callback = callback;
    // A timeout takes at least a millisecond.
    const sleep = milliseconds - MAX_TIMER_DELAY_MS;
    if (sleep < 1) this.#immediate = setImmediate(this.#poll);
    else this.#timeout = setTimeout(this.#poll, sleep);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timeout);
    clearImmediate(this.#immediate);
  }

  readonly #poll = (): void => {
    if (performance.now() < this.#time) this.#immediate = setImmediate(this.#poll);
    else this.#callback();
  };
}

/** The longest delay of a timer while the event loop is idle. */
const MAX_TIMER_DELAY_MS = 1;
