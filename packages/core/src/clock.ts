// Not the global of the same name, which is looked up anew each time.
import { performance } from 'node:perf_hooks';

/** Where time comes from; a test puts a clock of its own in its place. */
export interface Clock {
  /** Milliseconds, from any beginning, never backwards. */
  now(): number;
  /** Calls back once, after so many milliseconds, unless the timer is disposed of before. Keeps the process alive only if told to. */
  after(milliseconds: number, callback: () => void, keepsAlive?: boolean): Disposable;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, callback, keepsAlive = false) {
    const timer = setTimeout(callback, milliseconds);
    return keepsAlive ? timer : timer.unref();
  },
};
