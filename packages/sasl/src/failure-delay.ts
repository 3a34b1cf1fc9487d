import { afterExactly, type Clock, orAborted } from '@postern/core';

/**
 * The earliest time of a refusal. The timer starts at the construction, when the client's message
 * has arrived. A timer that starts at the refusal would reveal, by a fraction of a millisecond, how
 * long the checker took.
 */
export class FailureDelay implements Disposable {
  readonly #timer: Disposable;
  #isOver = false;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(clock: Clock, milliseconds: number) {
    this.#timer = afterExactly(clock, milliseconds, () => this.#end());
  }

  /** Resolves when the delay is over, or when the signal aborts. */
  async passed(signal: AbortSignal): Promise<void> {
    if (this.#isOver || signal.aborted) return;
    this.#waiting = Promise.withResolvers();
    await orAborted(this.#waiting.promise, signal);
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #end(): void {
    this.#isOver = true;
    this.#waiting?.resolve();
  }
}
