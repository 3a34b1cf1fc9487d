// The import is faster than the global `performance`, a getter that runs on each access.
import { performance } from 'node:perf_hooks';
import { ExactTimers } from './exact-timers.ts';

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

class SystemClock implements Clock {
  readonly #exactTimers = new ExactTimers();

  now(): number {
    return performance.now();
  }

  after(milliseconds: number, callback: () => void, keepsAlive = false): Disposable {
    const timer = setTimeout(callback, milliseconds);
    return keepsAlive ? timer : timer.unref();
  }

  afterExactly(milliseconds: number, callback: () => void): Disposable {
    return this.#exactTimers.after(milliseconds, callback);
  }
}

/** The clock of the operating system: monotonic, with the timers of Node. */
export const systemClock: Clock = new SystemClock();

/**
 * Calls `callback` once after `milliseconds`, as accurately as the clock can, and keeps the process
 * alive. Use it where the moment itself must not reveal how long earlier work took.
 */
export function afterExactly(clock: Clock, milliseconds: number, callback: () => void): Disposable {
  return clock.afterExactly?.(milliseconds, callback) ?? clock.after(milliseconds, callback, true);
}
