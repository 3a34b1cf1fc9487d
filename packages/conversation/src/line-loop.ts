import type { MaybePromise } from '@postern/core';
import { Closing, PeerGone } from './errors.ts';
import type { Input, InputWaiter, LineError } from './input.ts';
import type { Output } from './output.ts';

/** Who hears lines, one after the other. */
export interface LineListener {
  /** The most octets that a line may have. */
  readonly maxOctets: number;
  /** Whether a server that wants to stop may break off the wait for the next line, with Closing. */
  readonly interruptible: boolean;
  /** Whether a conversation that begins with this octet is one of lines; if not, nothing is heard. Asked once. Default: any is. */
  acceptsFirst?(octet: number): boolean;
  /** Takes a line without its CRLF, a character an octet (latin1), or why there is none. Comes to false when it wants no more. */
  heard(line: string | LineError): MaybePromise<boolean>;
}

/** What the loop has to know of the conversation. */
interface LineTimes {
  readonly readTimeout: number;
  readonly shutdownSignal: AbortSignal;
}

/**
 * Passes lines on as they come, until the listener wants no more or the peer has ended between two lines. As long as neither the peer
 * nor the listener takes its time, there is not even a promise.
 */
export class LineLoop implements InputWaiter {
  /** Rejects with PeerGone, TimedOut, Closing, and with what the listener fails with. */
  readonly completed: Promise<void>;
  readonly #conversation: LineTimes;
  readonly #input: Input;
  readonly #output: Output;
  readonly #listener: LineListener;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  /** False until the listener was asked about the first octet, if it wants to be. */
  #begun: boolean;
  /** True if the line that is being heard was waited for already. */
  #waited = false;

  constructor(conversation: LineTimes, input: Input, output: Output, listener: LineListener) {
    this.#conversation = conversation;
    this.#input = input;
    this.#output = output;
    this.#listener = listener;
    this.#begun = listener.acceptsFirst === undefined;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.completed = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.resume(undefined);
  }

  resume(failure: Error | undefined): void {
    try {
      if (failure !== undefined) throw failure;
      while (this.#next());
    } catch (error) {
      this.#reject(error);
    }
  }

  /** Comes to the next line; false if that has to be waited for, or there is none. */
  #next(): boolean {
    const input = this.#input;
    if (input.quotaUsed) return this.#rest();
    // While the peer takes nothing, nothing is taken from it.
    if (this.#output.writing === undefined) {
      if (!this.#begun && input.chunk !== undefined && !this.#begin(input.chunk, input.offset)) return false;
      const line = input.takeLine(this.#listener.maxOctets);
      if (line !== undefined) return this.#pass(line);
      if (input.ended) return this.#end();
      if (input.fill()) return true;
    }
    const left = this.#waited ? input.remaining : this.#conversation.readTimeout;
    this.#waited = true;
    input.waitFor(this, left, this.#closing);
    return false;
  }

  #begin(chunk: Buffer, at: number): boolean {
    this.#begun = true;
    if (this.#listener.acceptsFirst?.(chunk[at] as number) !== false) return true;
    this.#resolve();
    return false;
  }

  get #closing(): AbortSignal | undefined {
    return this.#listener.interruptible ? this.#conversation.shutdownSignal : undefined;
  }

  #pass(line: string | LineError): boolean {
    this.#waited = false;
    const more = this.#listener.heard(line);
    if (typeof more === 'boolean') {
      if (!more) this.#resolve();
      return more;
    }
    more.then((goesOn) => (goesOn ? this.resume(undefined) : this.#resolve()), this.#reject);
    return false;
  }

  #rest(): false {
    if (this.#closing?.aborted) throw new Closing();
    this.#input.yieldTurn(this);
    return false;
  }

  #end(): false {
    if (!this.#input.betweenLines) throw new PeerGone('the peer left in the middle of a line');
    this.#resolve();
    return false;
  }
}
