import type { MaybePromise } from '@postern/core';

/**
 * Takes the next piece of a message. With the last piece of a chunk comes the whole chunk, `used`.
 * A consumer that has finished with this piece and keeps no view of the chunk may {@link release}
 * `used`.
 */
export type ChunkConsumer = (piece: Uint8Array, used?: Uint8Array) => MaybePromise<void>;

/** The receiver of pieces, and of their end if that comes after a wait. */
export interface PieceReceiver<T> {
  /** Takes the next piece, as a {@link ChunkConsumer} does. */
  take(piece: Uint8Array, used?: Uint8Array): MaybePromise<void>;
  /** Called once behind the last piece. Must not throw. */
  heard(summary: T): void;
  /** Called once, in place of `heard`, with the error that ended the hear. Must not throw. */
  failed(error: unknown): void;
}

/** Passes pieces to a consumer, and their end to a promise. */
export class PromisingReceiver<T> implements PieceReceiver<T> {
  readonly #consume: ChunkConsumer;
  #completion: PromiseWithResolvers<T> | undefined = undefined;

  constructor(consume: ChunkConsumer) {
    this.#consume = consume;
  }

  /** Returns a promise of the end. */
  promise(): Promise<T> {
    this.#completion ??= Promise.withResolvers<T>();
    return this.#completion.promise;
  }

  take(piece: Uint8Array, used?: Uint8Array): MaybePromise<void> {
    return this.#consume(piece, used);
  }

  heard(summary: T): void {
    this.#completion?.resolve(summary);
  }

  failed(error: unknown): void {
    this.#completion?.reject(error);
  }
}
