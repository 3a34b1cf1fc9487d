// The import is faster than the global `performance`, a getter that runs on each access.
import { performance } from 'node:perf_hooks';

/** The parts of an event loop that {@link ExactTimers} needs. All times are in milliseconds. */
export interface EventLoop {
  now(): number;
  /** Calls back in a turn after whole milliseconds, up to a millisecond late. */
  after(milliseconds: number, callback: () => void): Disposable;
  /** Calls back in the next turn. */
  nextTurn(callback: () => void): void;
  /** Blocks the thread. */
  nap(milliseconds: number): void;
}

/**
 * The timers of one event loop without the rounding of `setTimeout`.
 *
 * The event loop sleeps for whole milliseconds, counted from the end of its last turn, however
 * early a timer was set. If a look-up was that turn, the fraction of the millisecond at which a
 * plain timer fires reveals how long the look-up took. A timer that is set again until its time is
 * over keeps that fraction. So does a timer for a tick of a shared grid.
 *
 * A timer here wakes one to two milliseconds early. While the loop is idle, the thread then naps:
 * `Atomics.wait` does not round, and costs no processor time. A loop with work polls instead, so
 * that no client waits for a nap. The loop polls the last 0.4 milliseconds as well, because a nap
 * ends late. Measured: the time of a look-up leaves no trace. A millisecond more of processor time
 * moves the callback by 3 to 6 microseconds, by the state of the processor.
 *
 * Why not a poll or a worker: docs/decisions/14-exact-times.md.
 */
export class ExactTimers {
  readonly #loop: EventLoop;
  /** The timers that are awake. They share the naps and the polls. */
  readonly #awake = new Set<ExactTimer>();
  #isPolling = false;
  /** The end of the last poll in milliseconds. */
  #polledAt = 0;

  /** Default: the event loop of Node. */
  constructor(loop: EventLoop = nodeEventLoop) {
    this.#loop = loop;
  }

  /** Calls `callback` once after `milliseconds`, never earlier, and keeps the process alive. */
  after(milliseconds: number, callback: () => void): Disposable {
    const timer = new ExactTimer(this.#loop.now() + milliseconds, callback, this.#awake);
    // A timeout takes at least a millisecond.
    const sleep = Math.floor(milliseconds - MAX_TIMER_DELAY_MS);
    if (sleep < 1) this.#wake(timer);
    else timer.timeout = this.#loop.after(sleep, () => this.#wake(timer));
    return timer;
  }

  #wake(timer: ExactTimer): void {
    this.#awake.add(timer);
    if (this.#isPolling) return;
    this.#isPolling = true;
    this.#polledAt = this.#loop.now();
    this.#loop.nextTurn(this.#poll);
  }

  readonly #poll = (): void => {
    this.#isPolling = this.#awake.size > 0;
    if (!this.#isPolling) return;
    this.#loop.nextTurn(this.#poll);
    const now = this.#loop.now();
    let isIdle = now - this.#polledAt < MAX_IDLE_TURN_MS;
    let next = Number.NEGATIVE_INFINITY;
    for (const timer of this.#awake) {
      if (timer.time <= now) {
        timer.fire();
        // The promises that the callback has resolved continue after this poll.
        isIdle = false;
      } else if (next < now || timer.time < next) next = timer.time;
    }
    const span = next - now - MAX_NAP_DELAY_MS;
    // Naps of equal length: the last one is never so short that it would end after the time.
    if (isIdle && span > 0) this.#loop.nap(span / Math.ceil(span / MAX_NAP_MS));
    this.#polledAt = this.#loop.now();
  };
}

class ExactTimer implements Disposable {
  readonly time: number;
  timeout: Disposable | undefined;
  readonly #callback: () => void;
  readonly #awake: Set<ExactTimer>;

  constructor(time: number, callback: () => void, awake: Set<ExactTimer>) {
    this.time = time;
    this.#callback = callback;
    this.#awake = awake;
  }

  fire(): void {
    this.#awake.delete(this);
    this.#callback();
  }

  [Symbol.dispose](): void {
    this.timeout?.[Symbol.dispose]();
    this.#awake.delete(this);
  }
}

const nodeEventLoop: EventLoop = {
  now: () => performance.now(),
  after: (milliseconds, callback) => setTimeout(callback, milliseconds),
  nextTurn: (callback) => void setImmediate(callback),
  nap: (milliseconds) => void Atomics.wait(NEVER_NOTIFIED, 0, 0, milliseconds),
};

const NEVER_NOTIFIED = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
/** The longest delay of a timeout of Node while the event loop is idle. */
const MAX_TIMER_DELAY_MS = 1;
/** Mostly the longest delay at the end of a nap: timer slack (0.05 ms on Linux) and wake-up. */
const MAX_NAP_DELAY_MS = 0.4;
/** The longest nap. A client whose command arrives meanwhile waits for its end. */
const MAX_NAP_MS = 1;
/** The longest turn of an event loop that has nothing to do. */
const MAX_IDLE_TURN_MS = 0.05;
