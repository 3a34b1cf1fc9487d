import type { Clock } from '@postern/core';

/**
 * A `Clock` that stands still until the test advances it.
 *
 * @example
 * ```ts
 * import { FakeClock } from '@postern/testing';
 *
 * const clock = new FakeClock();
 * clock.after(1_000, () => console.log('called'));
 * await clock.advance(1_000);
 * ```
 */
export class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): Disposable {
    const timer = { time: this.#now + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** The number of timers that have neither fired nor been disposed of. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves the clock. Timers call back in order, each at its time. The work that a timer starts runs
   * before the next timer. Resolves when all of it has ended.
   */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    await settle();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.delete(timer);
      this.#now = timer.time;
      timer.callback();
      await settle();
    }
    this.#now = until;
  }

  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.time <= until && (next === undefined || timer.time < next.time)) next = timer;
    }
    return next;
  }
}

interface Timer {
  readonly time: number;
  readonly callback: () => void;
}

/** Resolves when all work has ended that needs neither time nor input and output. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
