import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventLoop, ExactTimers } from '../../packages/core/src/exact-timers.ts';

/**
 * An event loop as libuv's: it sleeps for whole milliseconds from the end of its last turn, until
 * a timeout is due by its clock of whole milliseconds.
 */
class ModelLoop implements EventLoop {
  time: number;
  naps: number[] = [];
  /** The milliseconds by which each nap ends late. */
  readonly #napDelay: number;
  /** The milliseconds of a turn, between its timeouts and its immediates. */
  readonly #turn: number;
  #turns: (() => void)[] = [];
  readonly #timeouts = new Set<{ due: number; callback: () => void }>();

  constructor({ start = 0, napDelay = 0.1, turn = 0.005 } = {}) {
    this.time = start;
    this.#napDelay = napDelay;
    this.#turn = turn;
  }

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): Disposable {
    if (!Number.isInteger(milliseconds) || milliseconds < 1) throw new RangeError(`a timeout of ${milliseconds} ms`);
    const timeout = { due: Math.floor(this.time) + milliseconds, callback };
    this.#timeouts.add(timeout);
    return { [Symbol.dispose]: () => void this.#timeouts.delete(timeout) };
  }

  nextTurn(callback: () => void): void {
    this.#turns.push(callback);
  }

  nap(milliseconds: number): void {
    this.naps.push(milliseconds);
    this.time += milliseconds + this.#napDelay;
  }

  /** Runs turns until nothing waits. Other work interrupts the sleep at each of its times. */
  run(interruptions: readonly number[] = []): void {
    const wakes = interruptions.filter((wake) => wake > this.time).sort((a, b) => a - b);
    while (this.#turns.length > 0 || this.#timeouts.size > 0) {
      if (this.#turns.length === 0) {
        const due = Math.min(...[...this.#timeouts].map((timeout) => timeout.due));
        const end = this.time + Math.max(0, due - Math.floor(this.time));
        this.time = Math.max(this.time, Math.min(end, wakes.shift() ?? end));
      }
      for (const timeout of this.#timeouts) {
        if (timeout.due > Math.floor(this.time)) continue;
        this.#timeouts.delete(timeout);
        timeout.callback();
      }
      this.time += this.#turn;
      for (const callback of this.#turns.splice(0)) callback();
    }
  }
}

const milliseconds = fc.double({ min: 0, max: 30, noNaN: true });

describe('ExactTimers', () => {
  it('calls back at the time and never early, whenever the timer is set and the loop woken', () => {
    fc.assert(
      fc.property(milliseconds, milliseconds, fc.array(milliseconds, { maxLength: 6 }), (start, delay, wakes) => {
        const loop = new ModelLoop({ start });
        const calls: number[] = [];
        new ExactTimers(loop).after(delay, () => calls.push(loop.time - start - delay));
        loop.run(wakes);
        expect(calls).toHaveLength(1);
        // Two turns: a poll of before the time ends the first one, the poll of after it the second.
        expect(calls[0]).toBeGreaterThanOrEqual(-1e-9);
        expect(calls[0]).toBeLessThanOrEqual(0.011);
      }),
    );
  });

  it('calls back at one time, however long the work takes that sets the timer', () => {
    fc.assert(
      fc.property(milliseconds, fc.array(milliseconds, { minLength: 2, maxLength: 5 }), (arrival, lookUps) => {
        const releases = lookUps.map((lookUp) => {
          const loop = new ModelLoop({ start: arrival + lookUp / 3 });
          let release = 0;
          new ExactTimers(loop).after(arrival + 15 - loop.time, () => {
            release = loop.time;
          });
          loop.run();
          return release;
        });
        expect(Math.max(...releases) - Math.min(...releases)).toBeLessThanOrEqual(0.011);
      }),
    );
  });

  it('naps in an idle loop, each time for at most a millisecond', () => {
    const loop = new ModelLoop({ start: 0.5 });
    new ExactTimers(loop).after(10.25, () => {});
    loop.run();
    expect(loop.naps).not.toEqual([]);
    expect(Math.max(...loop.naps)).toBeLessThanOrEqual(1);
  });

  it('does not nap in a loop that has work', () => {
    const loop = new ModelLoop({ turn: 0.1 });
    let calls = 0;
    new ExactTimers(loop).after(10.25, () => calls++);
    loop.run();
    expect(calls).toBe(1);
    expect(loop.naps).toEqual([]);
  });

  it('shares the naps among its timers, and calls each back at its time', () => {
    const loop = new ModelLoop();
    const timers = new ExactTimers(loop);
    const calls: number[] = [];
    for (const delay of [10.9, 10.1, 10.5]) timers.after(delay, () => calls.push(Math.floor(loop.time * 10) / 10));
    loop.run();
    expect(calls).toEqual([10.1, 10.5, 10.9]);
    expect(loop.naps.length).toBeLessThanOrEqual(4);
  });

  it('never naps between a callback and the promises that it has resolved', () => {
    let hasPromises = false;
    class LoopWithPromises extends ModelLoop {
      override nextTurn(callback: () => void): void {
        super.nextTurn(() => {
          callback();
          hasPromises = false;
        });
      }

      override nap(duration: number): void {
        expect(hasPromises).toBe(false);
        super.nap(duration);
      }
    }
    const loop = new LoopWithPromises();
    const timers = new ExactTimers(loop);
    const onTime = (): void => {
      hasPromises = true;
    };
    for (const delay of [10.1, 11.3]) timers.after(delay, onTime);
    loop.run();
    expect(loop.naps).not.toEqual([]);
  });

  it('does not call back a timer that is disposed of, before it wakes and while it is awake', () => {
    const loop = new ModelLoop();
    const timers = new ExactTimers(loop);
    let calls = 0;
    timers.after(10, () => calls++)[Symbol.dispose]();
    loop.run();
    const polling = timers.after(0.5, () => calls++);
    loop.after(1, () => polling[Symbol.dispose]());
    timers.after(0.1, () => polling[Symbol.dispose]());
    loop.run();
    expect(calls).toBe(0);
  });
});
