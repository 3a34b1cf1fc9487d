import type { MaybePromise } from '@postern/core';

/**
 * Takes the next piece of a message. With the last piece of a chunk comes the whole chunk, `used`.
 * A consumer that has finished with this piece and keeps no view of the chunk may {@link release}
 * `used`.
 */
export type ChunkConsumer = (piece: Uint8Array, used?: Uint8Array) => MaybePromise<void>;

/** Passes pieces to a consumer until the consumer fails, and keeps its error. */
export class Sink {
  readonly #consume: ChunkConsumer;
  #failure: { readonly error: unknown } | undefined;

  constructor(consume: ChunkConsumer) {
    this.#consume = consume;
  }

  /**
   * Passes a piece on. Drops the piece if it is empty or the consumer has failed. Never rejects.
   */
  take(piece: Uint8Array, used: Uint8Array | undefined): MaybePromise<void> {
    if (piece.length === 0 || this.#failure !== undefined) return;
    try {
      return this.#consume(piece, used)?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Throws the error of the consumer, if there is one. */
  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    this.#failure = { error };
  }
}
