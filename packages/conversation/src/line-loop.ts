import type { MaybePromise } from '@postern/core';
import { Closing, PeerGone } from './errors.ts';
import type { Input, InputWaiter, LineError } from './input.ts';
import type { Output } from './output.ts';

/** The receiver of a conversation's lines. */
export interface LineListener {
  /** The most octets of a line, without its line ending. */
  readonly maxOctets: number;
  /** True if a server that shuts down may end the wait for the next line, with Closing. */
  readonly interruptible: boolean;
  /**
   * Returns true if a conversation may begin with this octet; false ends the hear. Called once.
   * Default: true.
   */
  acceptsFirst?(octet: number): boolean;
  /**
   * Takes a line without its line ending, one character for each octet (latin1), or the error of a
   * line. Returns false to end the hear. Returns undefined to answer later, by a call of `pending`.
   */
  heard(line: string | LineError, pending: PendingLine): MaybePromise<boolean> | undefined;
}

/** A line whose listener answers later: by one call, of one of these methods. */
export interface PendingLine {
  /** Continues the hear, or ends it if `more` is false. */
  answer(more: boolean): void;
  /** Ends the hear with the error. */
  fail(error: unknown): void;
}

/** A receiver of lines that also gets their end, for a hear that creates no promise. */
export interface LineServer extends LineListener {
  /**
   * Called once if a line has ended the hear, or the peer has ended its side between two lines.
   * Must not throw.
   */
  ended(): void;
  /** Called once, in place of `ended`, with the error that has ended the hear. Must not throw. */
  failed(error: unknown): void;
}

/** The times of the conversation that the loop observes. */
interface LineTimes {
  readonly readTimeout: number;
  readonly shutdownSignal: AbortSignal;
}

/** The end of a hear. */
type LineLoopEnd = Pick<LineServer, 'ended' | 'failed'>;

/**
 * Calls the listener for each line until it returns false or the peer ends its side between two
 * lines. The loop creates no promise while the listener answers synchronously. It fails with
 * PeerGone, TimedOut, Displaced, Closing, or the error of the listener.
 */
export class LineLoop implements InputWaiter, PendingLine {
  readonly #conversation: LineTimes;
  readonly #input: Input;
  readonly #output: Output;
  readonly #listener: LineListener;
  readonly #end: LineLoopEnd;
  /** False until `acceptsFirst` has seen the first octet. */
  #begun: boolean;
  /** True if the current line has waited for input: then its time continues. */
  #waited = false;

  constructor(conversation: LineTimes, input: Input, output: Output, listener: LineListener, end: LineLoopEnd) {
    this.#conversation = conversation;
    this.#input = input;
    this.#output = output;
    this.#listener = listener;
    this.#begun = listener.acceptsFirst === undefined;
    this.#end = end;
    this.resume(undefined);
  }

  resume(failure: Error | undefined): void {
    try {
      if (failure !== undefined) throw failure;
      while (this.#next());
    } catch (error) {
      this.#end.failed(error);
    }
  }

  answer(more: boolean): void {
    if (more) this.resume(undefined);
    else this.#end.ended();
  }

  fail(error: unknown): void {
    this.#end.failed(error);
  }

  /** Hears the next line. Returns false if the loop waits or has ended. */
  #next(): boolean {
    const input = this.#input;
    if (input.quotaUsed) return this.#rest();
    // While the peer takes nothing, nothing is taken from it.
    if (this.#output.writing === undefined) {
      if (!this.#begun && input.chunk !== undefined && !this.#begin(input.chunk, input.offset)) return false;
      const line = input.takeLine(this.#listener.maxOctets);
      if (line !== undefined) return this.#pass(line);
      if (input.ended) return this.#endOfInput();
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
    this.#end.ended();
    return false;
  }

  get #closing(): AbortSignal | undefined {
    return this.#listener.interruptible ? this.#conversation.shutdownSignal : undefined;
  }

  #pass(line: string | LineError): boolean {
    this.#waited = false;
    const more = this.#listener.heard(line, this);
    if (more === undefined) return false;
    if (typeof more === 'boolean') {
      if (!more) this.#end.ended();
      return more;
    }
    more.then(
      (goesOn) => (goesOn ? this.resume(undefined) : this.#end.ended()),
      (error: unknown) => this.#end.failed(error),
    );
    return false;
  }

  #rest(): false {
    if (this.#closing?.aborted) throw new Closing();
    this.#input.yieldTurn(this);
    return false;
  }

  #endOfInput(): false {
    if (!this.#input.betweenLines) throw new PeerGone('the peer left in the middle of a line');
    this.#end.ended();
    return false;
  }
}
