import type { MaybePromise } from './transport.ts';

/** Whoever takes the pieces of a message, until it fails. */
export class Sink {
  readonly #take: (piece: Uint8Array) => MaybePromise<void>;
  #failure: { readonly error: unknown } | undefined;

  constructor(take: (piece: Uint8Array) => MaybePromise<void>) {
    this.#take = take;
  }

  /** Does not fail. */
  take(piece: Uint8Array): MaybePromise<void> {
    if (piece.length === 0 || this.#failure !== undefined) return;
    try {
      return this.#take(piece)?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    this.#failure = { error };
  }
}
