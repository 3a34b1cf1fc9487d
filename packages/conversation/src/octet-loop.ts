import type { MaybePromise } from '@postern/core';
import { Closing, PeerGone } from './errors.ts';
import type { Input, InputWaiter } from './input.ts';
import type { Output } from './output.ts';

/** A receiver of octets for protocols whose requests have no line endings. */
export interface OctetServer {
  /**
   * True between two requests. A server that shuts down may then end the wait, with Closing. Within
   * a request the octets that arrive do not extend the time of `readTimeout`.
   */
  readonly isBetweenRequests: boolean;
  /**
   * Takes some of the octets that have arrived, and returns their number: at least 1. The octets
   * are valid until the function returns. Returns false to end the hear.
   */
  heard(octets: Buffer): MaybePromise<number | false>;
  /**
   * Called once if `heard` has ended the hear, or the peer has ended its side between two requests.
   * Must not throw.
   */
  ended(): void;
  /** Called once, in place of `ended`, with the error that has ended the hear. Must not throw. */
  failed(error: unknown): void;
}

/** The times of the conversation that the loop observes. */
interface OctetTimes {
  readonly readTimeout: number;
  readonly shutdownSignal: AbortSignal;
}

/**
 * Passes the octets that arrive to a server. The loop creates no promise while the server answers
 * synchronously, and takes nothing from a peer that reads no replies. It fails with PeerGone,
 * TimedOut, Displaced, Closing, or the error of the server.
 */
export class OctetLoop implements InputWaiter {
  readonly #conversation: OctetTimes;
  readonly #input: Input;
  readonly #output: Output;
  readonly #server: OctetServer;
  /** True if the current request has waited for input: then its time continues. */
  #waited = false;

  constructor(conversation: OctetTimes, input: Input, output: Output, server: OctetServer) {
    this.#conversation = conversation;
    this.#input = input;
    this.#output = output;
    this.#server = server;
    this.resume(undefined);
  }

  resume(failure: Error | undefined): void {
    try {
      if (failure !== undefined) throw failure;
      while (this.#next());
    } catch (error) {
      this.#server.failed(error);
    }
  }

  /** Passes on some octets. Returns false if the loop waits or has ended. */
  #next(): boolean {
    const input = this.#input;
    if (input.quotaUsed) return this.#rest();
    if (this.#output.writing === undefined) {
      if (input.chunk !== undefined) return this.#pass(input.chunk);
      if (input.ended) return this.#endOfInput();
      if (input.fill()) return true;
    }
    const remaining = this.#waited ? input.remaining : this.#conversation.readTimeout;
    this.#waited = !this.#server.isBetweenRequests;
    input.waitFor(this, remaining, this.#closing);
    return false;
  }

  get #closing(): AbortSignal | undefined {
    return this.#server.isBetweenRequests ? this.#conversation.shutdownSignal : undefined;
  }

  #pass(chunk: Buffer): boolean {
    const { offset } = this.#input;
    const taken = this.#server.heard(offset === 0 ? chunk : chunk.subarray(offset));
    if (typeof taken === 'number' || taken === false) return this.#advance(taken);
    taken.then(
      (later) => {
        if (this.#advance(later)) this.resume(undefined);
      },
      (error: unknown) => this.#server.failed(error),
    );
    return false;
  }

  #advance(taken: number | false): boolean {
    if (taken === false) {
      this.#server.ended();
      return false;
    }
    const input = this.#input;
    if (this.#server.isBetweenRequests) this.#waited = false;
    input.countChunk(taken);
    // A conversation that was destroyed has no chunk.
    if (input.chunk !== undefined) input.advance(input.offset + taken);
    return true;
  }

  #rest(): false {
    if (this.#closing?.aborted) throw new Closing();
    this.#input.yieldTurn(this);
    return false;
  }

  #endOfInput(): false {
    if (!this.#server.isBetweenRequests) throw new PeerGone('the peer left in the middle of a request');
    this.#server.ended();
    return false;
  }
}
