import { Closing } from './errors.ts';
import type { Input, InputWaiter } from './input.ts';

/** One wait, of at most `milliseconds`, for the octets that arrive next. */
export class OctetHear implements InputWaiter {
  /** Resolves with the octets, or with undefined at the end of the peer's side. */
  readonly completed: Promise<Buffer | undefined>;
  readonly #input: Input;
  readonly #milliseconds: number;
  readonly #shutdownSignal: AbortSignal | undefined;
  readonly #resolve: (octets: Buffer | undefined) => void;
  readonly #reject: (error: unknown) => void;

  /** A `shutdownSignal` that aborts ends the wait with Closing. */
  constructor(input: Input, milliseconds: number, shutdownSignal: AbortSignal | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
    this.completed = promise;
    this.#input = input;
    this.#milliseconds = milliseconds;
    this.#shutdownSignal = shutdownSignal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.resume(undefined);
  }

  resume(failure: Error | undefined): void {
    try {
      if (failure !== undefined) throw failure;
      this.#next();
    } catch (error) {
      this.#reject(error);
    }
  }

  #next(): void {
    const input = this.#input;
    if (input.quotaUsed) {
      if (this.#shutdownSignal?.aborted) throw new Closing();
      input.yieldTurn(this);
      return;
    }
    while (input.chunk === undefined && !input.ended) {
      if (input.fill()) continue;
      input.waitFor(this, this.#milliseconds, this.#shutdownSignal);
      return;
    }
    this.#resolve(input.takeChunk());
  }
}
