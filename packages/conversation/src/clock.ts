// Not the global of the same name, which is looked up anew each time.
import { performance } from 'node:perf_hooks';

/** Where time comes from; a test puts a clock of its own in its place. */
export interface Clock {
  /** Milliseconds, from any beginning, never backwards. */
  now(): number;
  /** Calls back once, after so many milliseconds, unless the timer is disposed of before. Does not keep the process alive. */
  after(milliseconds: number, callback: () => void): Disposable;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (milliseconds, callback) => setTimeout(callback, milliseconds).unref(),
};
