import { afterExactly, type Clock, orAborted } from '@postern/core';

/**
 * Releases a challenge at a whole multiple of an interval after the construction, so that the time
 * of a look-up does not show. The timer starts at the construction.
 */
export class ChallengePacer implements Disposable {
  readonly #clock: Clock;
  readonly #interval: number;
  #timer: Disposable | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** `interval` is in milliseconds. */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock;
    this.#interval = interval;
    this.#timer = afterExactly(clock, interval, this.#onInterval);
  }

  /** Resolves at the next multiple, when the signal aborts, or when the pacer is disposed of. */
  async next(signal: AbortSignal): Promise<void> {
    if (this.#timer === undefined || signal.aborted) return;
    this.#waiting = Promise.withResolvers();
    await orAborted(this.#waiting.promise, signal);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#waiting?.resolve();
  }

  /**
   * Later intervals need no exact timer: a look-up of that length varies by more than a
   * millisecond.
   */
  readonly #onInterval = (): void => {
    if (this.#waiting === undefined) this.#timer = this.#clock.after(this.#interval, this.#onInterval, true);
    else this[Symbol.dispose]();
  };
}
