import type { MaybePromise } from '@postern/core';

/**
 * Takes the next piece of a message. With the last piece of what was heard at once comes all of that, `used`: once the piece is done
 * with, so is everything in it, and it may be released.
 */
export type ChunkConsumer = (piece: Uint8Array, used?: Uint8Array) => MaybePromise<void>;

/** Whoever takes the pieces of a message, until it fails. */
export class Sink {
  readonly #take: ChunkConsumer;
  #failure: { readonly error: unknown } | undefined;

  constructor(take: ChunkConsumer) {
    this.#take = take;
  }

  /** Does not fail. */
  take(piece: Uint8Array, used: Uint8Array | undefined): MaybePromise<void> {
    if (piece.length === 0 || this.#failure !== undefined) return;
    try {
      return this.#take(piece, used)?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Throws what the taker failed with, if it did. */
  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    this.#failure = { error };
  }
}
