import { afterExactly, type Clock } from '@postern/core';

/**
 * Lets something go at whole multiples of an interval after the construction, and never between them: the
 * time that a look-up took does not show. Its timer begins at the construction, whatever happens later.
 */
export class ChallengePacer implements Disposable {
  readonly #clock: Clock;
  readonly #interval: number;
  #timer: Disposable | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** The interval is in milliseconds. */
  constructor(clock: Clock, interval: number) {
    this.#clock = clock;
    this.#interval = interval;
    this.#timer = afterExactly(clock, interval, this.#pass);
  }

  /** Resolves at the next multiple, or when the signal aborts or this is disposed of. */
  async next(signal: AbortSignal): Promise<void> {
    if (this.#timer === undefined || signal.aborted) return;
    const waiting = Promise.withResolvers<void>();
    this.#waiting = waiting;
    const release = (): void => waiting.resolve();
    signal.addEventListener('abort', release);
    await waiting.promise;
    signal.removeEventListener('abort', release);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#waiting?.resolve();
  }

  /** A look-up that takes longer than the interval varies by more than an exact timer could hide. */
  readonly #pass = (): void => {
    if (this.#waiting === undefined) this.#timer = this.#clock.after(this.#interval, this.#pass, true);
    else this[Symbol.dispose]();
  };
}
