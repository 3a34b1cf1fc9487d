import { type MaybePromise, toPromise } from '@postern/core';
import { PeerGone } from './errors.ts';
import type { Input, InputWaiter } from './input.ts';
import type { Output } from './output.ts';
import type { PieceReceiver } from './piece-receiver.ts';

/** Turns the octets of chunks into pieces, and knows where they end. */
export interface Source<T> {
  /** The number of octets of the last chunk that the source has consumed. */
  readonly consumed: number;
  readonly ended: boolean;
  /** The result once all pieces have been heard. */
  readonly summary: T;
  /** Returns the next piece from the chunk at `from`. */
  next(chunk: Buffer, from: number): Uint8Array;
}

/** The times of the conversation that the loop observes. */
interface PieceTimes {
  readonly readTimeout: number;
  readonly minimumRate: number;
}

/**
 * Passes the pieces of a source to a receiver, up to the source's end. The loop creates no promise
 * while the receiver answers synchronously. After the receiver has failed, the loop drops the
 * pieces that follow.
 */
export class PieceLoop<T> implements InputWaiter {
  readonly #conversation: PieceTimes;
  readonly #input: Input;
  readonly #output: Output;
  readonly #source: Source<T>;
  readonly #receiver: PieceReceiver<T>;
  /** The milliseconds that the peer has left. */
  #remaining: number;
  /** The error of the receiver. */
  #failure: { readonly error: unknown } | undefined = undefined;

  constructor(conversation: PieceTimes, input: Input, output: Output, source: Source<T>, receiver: PieceReceiver<T>) {
    this.#conversation = conversation;
    this.#input = input;
    this.#output = output;
    this.#source = source;
    this.#receiver = receiver;
    this.#remaining = conversation.readTimeout;
  }

  /**
   * Runs the loop. Returns true at the source's end, for a call of {@link conclude}. Returns false
   * if the loop waits: then it calls `heard` or `failed` of the receiver later.
   *
   * @throws PeerGone, TimedOut, Displaced
   */
  hear(): boolean {
    return this.#run();
  }

  /**
   * Returns the source's summary.
   *
   * @throws The error of the receiver.
   */
  conclude(): T {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#source.summary;
  }

  resume(failure: Error | undefined): void {
    if (failure === undefined) this.#remaining = this.#input.remaining;
    this.#continue(failure);
  }

  #continue(failure?: Error): void {
    let summary: T;
    try {
      if (failure !== undefined) throw failure;
      if (!this.#run()) return;
      summary = this.conclude();
    } catch (error) {
      this.#receiver.failed(error);
      return;
    }
    this.#receiver.heard(summary);
  }

  /** Returns true at the source's end; false if the loop waits and continues by itself. */
  #run(): boolean {
    const input = this.#input;
    for (;;) {
      const consumed = this.#passOn();
      if (consumed !== undefined) {
        void consumed.then(() => this.#continue());
        return false;
      }
      if (this.#source.ended) return true;
      if (input.ended) throw new PeerGone('the peer left in the middle of a message');
      if (input.quotaUsed) {
        input.grant(this.#remaining);
        input.yieldTurn(this);
        return false;
      }
      if (this.#output.writing === undefined && input.fill()) continue;
      input.waitFor(this, this.#remaining, undefined);
      return false;
    }
  }

  /** Passes on the octets that have arrived. Returns a promise if the consumer of a piece does. */
  #passOn(): MaybePromise<void> {
    const input = this.#input;
    while (!this.#source.ended && input.chunk !== undefined) {
      const { chunk, offset } = input;
      const piece = this.#source.next(chunk, offset);
      this.#earn(this.#source.consumed - offset);
      input.countChunk(this.#source.consumed - offset);
      input.advance(this.#source.consumed);
      const consumed = this.#pass(piece, input.chunk === chunk ? undefined : chunk);
      if (consumed !== undefined) return consumed;
    }
  }

  /**
   * Extends the peer's time by one second for `minimumRate` octets, up to `readTimeout`: Postfix's
   * rule.
   */
  #earn(octets: number): void {
    const { readTimeout, minimumRate } = this.#conversation;
    this.#remaining = Math.min(readTimeout, this.#remaining + (octets * 1000) / minimumRate);
  }

  /** Never rejects. */
  #pass(piece: Uint8Array, used: Uint8Array | undefined): MaybePromise<void> {
    if (piece.length === 0 || this.#failure !== undefined) return;
    try {
      const taken = this.#receiver.take(piece, used);
      if (taken !== undefined) return toPromise(taken).catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure = { error };
  }
}
