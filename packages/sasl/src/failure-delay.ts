import { afterExactly, type Clock } from '@postern/core';

/**
 * The earliest moment for a refusal. The timer begins at the construction, when the client has spoken: were
 * it begun at the refusal, fractions of a millisecond would tell how long the judgement took.
 */
export class FailureDelay implements Disposable {
  readonly #timer: Disposable;
  #over = false;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(clock: Clock, milliseconds: number) {
    this.#timer = afterExactly(clock, milliseconds, () => this.#end());
  }

  /** Resolves when the floor has passed; at once if it has already, or when the signal aborts. */
  async passed(signal: AbortSignal): Promise<void> {
    if (this.#over || signal.aborted) return;
    this.#waiting = Promise.withResolvers();
    const end = (): void => this.#end();
    signal.addEventListener('abort', end);
    await this.#waiting.promise;
    signal.removeEventListener('abort', end);
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #end(): void {
    this.#over = true;
    this.#waiting?.resolve();
  }
}
