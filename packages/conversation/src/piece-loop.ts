import type { MaybePromise } from '@postern/core';
import { PeerGone } from './errors.ts';
import type { Input, InputWaiter } from './input.ts';
import type { Output } from './output.ts';
import { type ChunkConsumer, Sink } from './sink.ts';

/** What makes pieces of what is heard, up to an end that it knows. */
export interface Source<T> {
  /** How far the last chunk has been used. */
  readonly consumed: number;
  readonly ended: boolean;
  /** What is to be said of all the pieces. */
  readonly summary: T;
  /** The next piece from the chunk at `from`. */
  next(chunk: Buffer, from: number): Uint8Array;
}

/** What the loop has to know of the conversation. */
interface PieceTimes {
  readonly readTimeout: number;
  readonly minimumRate: number;
}

/**
 * Passes on what a source makes of what is heard, up to its end, and comes to the source's facts. As long as neither the peer nor
 * whoever takes the pieces has to be waited for, there is not even a promise.
 */
export class PieceLoop<T> implements InputWaiter {
  readonly #conversation: PieceTimes;
  readonly #input: Input;
  readonly #output: Output;
  readonly #source: Source<T>;
  readonly #sink: Sink;
  /** Milliseconds of patience. */
  #left: number;
  #over: PromiseWithResolvers<T> | undefined = undefined;

  constructor(conversation: PieceTimes, input: Input, output: Output, source: Source<T>, take: ChunkConsumer) {
    this.#conversation = conversation;
    this.#input = input;
    this.#output = output;
    this.#source = source;
    this.#sink = new Sink(take);
    this.#left = conversation.readTimeout;
  }

  /** Fails with PeerGone, TimedOut, and, after all has been heard, with what `take` failed with. */
  hear(): MaybePromise<T> {
    if (this.#goOn()) return this.#conclude();
    this.#over = Promise.withResolvers();
    return this.#over.promise;
  }

  resume(failure: Error | undefined): void {
    if (failure === undefined) this.#left = this.#input.remaining;
    this.#resume(failure);
  }

  #resume(failure?: Error): void {
    try {
      if (failure !== undefined) throw failure;
      if (this.#goOn()) this.#over?.resolve(this.#conclude());
    } catch (error) {
      this.#over?.reject(error);
    }
  }

  /** True at the end; otherwise it goes on by itself. */
  #goOn(): boolean {
    const input = this.#input;
    for (;;) {
      const taken = this.#passOn();
      if (taken !== undefined) {
        void taken.then(() => this.#resume());
        return false;
      }
      if (this.#source.ended) return true;
      if (input.ended) throw new PeerGone('the peer left in the middle of a message');
      if (input.quotaUsed) {
        input.grant(this.#left);
        input.yieldTurn(this);
        return false;
      }
      if (this.#output.writing === undefined && input.fill()) continue;
      input.waitFor(this, this.#left, undefined);
      return false;
    }
  }

  /** Passes on what is there. Comes to a promise if a piece takes its time. */
  #passOn(): MaybePromise<void> {
    const input = this.#input;
    while (!this.#source.ended && input.chunk !== undefined) {
      const { chunk, offset } = input;
      const piece = this.#source.next(chunk, offset);
      this.#earn(this.#source.consumed - offset);
      input.countChunk(this.#source.consumed - offset);
      input.advance(this.#source.consumed);
      const taken = this.#sink.take(piece, input.chunk === chunk ? undefined : chunk);
      if (taken !== undefined) return taken;
    }
  }

  /** A peer that sends enough gets its patience back (as Postfix has it: a second for so many octets, never more than at first). */
  #earn(octets: number): void {
    const { readTimeout, minimumRate } = this.#conversation;
    this.#left = Math.min(readTimeout, this.#left + (octets * 1000) / minimumRate);
  }

  #conclude(): T {
    this.#sink.rethrow();
    return this.#source.summary;
  }
}
