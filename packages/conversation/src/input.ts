import type { Deadlines } from './deadlines.ts';
import { Waiter } from './deadlines.ts';
import { BareLineEnding, Closing, LineTooLong, PeerGone, TimedOut } from './errors.ts';
import { LineScanner } from './line-scanner.ts';
import type { Output } from './output.ts';
import type { Transport } from './transport.ts';
import type { TurnQueue } from './turn-queue.ts';

/** Why a line could not be heard; the next one can. */
export type LineError = LineTooLong | BareLineEnding;

/** Who waits for input. */
export interface InputWaiter {
  /** There is more, or the end; or the wait has failed. */
  resume(failure: Error | undefined): void;
}

/** What was heard and not taken yet, and the wait for more. */
export class Input extends Waiter {
  /** From `at` on. */
  chunk: Buffer | undefined = undefined;
  offset = 0;
  /** True once the peer has ended its side and the transport has no more of it. */
  ended = false;
  /** Called when all that was heard is taken. */
  onEmpty: (() => void) | undefined = undefined;
  readonly #transport: Transport;
  readonly #output: Output;
  readonly #deadlines: Deadlines;
  readonly #turns: TurnQueue;
  readonly #lines = new LineScanner();
  /** Pieces of work until the next look at the clock. */
  #unclocked = PIECES_PER_CLOCK_READ;
  #sleeper: InputWaiter | undefined = undefined;
  #discards = false;

  constructor(transport: Transport, output: Output, deadlines: Deadlines, turns: TurnQueue) {
    super();
    this.#transport = transport;
    this.#output = output;
    this.#deadlines = deadlines;
    this.#turns = turns;
  }

  /** True between two lines. */
  get betweenLines(): boolean {
    return this.#lines.idle;
  }

  /** True once this turn of the loop is used up. Reads the clock after every eighth piece of work. */
  get quotaUsed(): boolean {
    if (this.#unclocked > 0) return false;
    if (this.#turns.isOver) return true;
    this.#unclocked = PIECES_PER_CLOCK_READ;
    return false;
  }

  /** True while somebody waits. */
  get isAwaited(): boolean {
    return this.#sleeper !== undefined;
  }

  /** How many milliseconds the last wait has left of what it was given. */
  get remaining(): number {
    return this.#deadlines.remaining(this);
  }

  /** The next line, or why there is none; undefined if it has not come to its end. */
  takeLine(maximum: number): string | LineError | undefined {
    if (this.chunk === undefined) return undefined;
    this.#unclocked--;
    try {
      return this.#lines.scan(this.chunk, this.offset, maximum);
    } catch (error) {
      if (error instanceof LineTooLong || error instanceof BareLineEnding) return error;
      throw error;
    } finally {
      this.advance(this.#lines.consumed);
    }
  }

  /** Counts the work of a chunk without lines, by its size in octets. */
  countChunk(octets: number): void {
    this.#unclocked -= 1 + octets / OCTETS_PER_PIECE;
  }

  /** What stands before there is taken. */
  advance(at: number): void {
    this.offset = at;
    if (at !== this.chunk?.length) return;
    this.chunk = undefined;
    this.onEmpty?.();
  }

  /**
   * Takes what the transport has, if only the end; false if it has nothing yet. Throws PeerGone if the connection broke, or if what is
   * there is discarded: what comes then has a hole before it.
   */
  fill(): boolean {
    if (this.#discards) throw GONE;
    const read = this.#read();
    if (read === 'later') return false;
    this.offset = 0;
    if (read === 'ended') this.ended = true;
    else if (read.length > 0) this.chunk = asBuffer(read);
    return true;
  }

  /**
   * Has the sleeper woken once, when there is more to fill in, and at the latest after so many milliseconds. What was said leaves
   * before: the peer may be waiting for it. Throws PeerGone if the connection broke, and Closing if that is asked for and the case.
   */
  waitFor(sleeper: InputWaiter, milliseconds: number, closing: AbortSignal | undefined): void {
    if (this.#sleeper !== undefined) throw new TypeError('one thing is heard at a time');
    const stuck = this.#output.flush();
    if (stuck !== undefined) {
      this.#afterFlush(sleeper, milliseconds);
      return;
    }
    if (closing?.aborted) throw new Closing();
    this.#sleeper = sleeper;
    this.#unclocked = PIECES_PER_CLOCK_READ;
    this.#deadlines.begin(this, milliseconds, closing);
  }

  /** Wakes the sleeper in a later turn of the loop. Throws TimedOut after the latest end of all waits. */
  yieldTurn(sleeper: InputWaiter): void {
    if (this.#deadlines.isPast(this)) throw new TimedOut();
    this.#unclocked = PIECES_PER_CLOCK_READ;
    this.#turns.wait(sleeper);
  }

  /** Lets the wait last `milliseconds` from now; {@link remaining} returns the rest. */
  grant(milliseconds: number): void {
    this.#deadlines.grant(this, milliseconds);
  }

  /** Ends every wait with TimedOut `milliseconds` from now, whatever the peer sends. */
  expireIn(milliseconds: number): void {
    this.#deadlines.limit(this, milliseconds);
  }

  /** Drops whatever was heard and will be, up to the end, also for who waits; destroys the transport if the connection broke. */
  discard(): void {
    this.#discards = true;
    this.resume(GONE);
    this.chunk = undefined;
    try {
      let read = this.#read();
      while (read !== 'later' && read !== 'ended') read = this.#read();
    } catch {
      this.#transport.destroy();
    }
  }

  /** Takes the octets that have come and are not taken, as latin1, without a wait. Never throws. */
  unheard(maximum: number): string {
    let text = this.#lines.unfinished + (this.chunk?.toString('latin1', this.offset) ?? '');
    this.drop();
    try {
      while (text.length < maximum) {
        const read = this.#transport.read();
        if (typeof read === 'string') break;
        text += asBuffer(read).toString('latin1');
      }
    } catch {
      // The connection broke: the transport has no more.
    }
    return text.slice(0, maximum);
  }

  /** Drops whatever was heard. */
  drop(): void {
    this.chunk = undefined;
    this.#lines.reset();
  }

  override fail(reason: Error): void {
    this.resume(reason);
  }

  /** There is more to fill in; or whoever waits is to wait no longer. */
  resume(failure: Error | undefined): void {
    if (this.#discards && failure === undefined) {
      this.discard();
      return;
    }
    const sleeper = this.#sleeper;
    if (sleeper === undefined) return;
    this.#sleeper = undefined;
    this.#deadlines.end(this);
    sleeper.resume(failure);
  }

  /** It has a new look at what there is then, with the rest of its time. */
  #afterFlush(sleeper: InputWaiter, milliseconds: number): void {
    this.#output.flushed(milliseconds).then(
      (left) => {
        this.#deadlines.grant(this, left);
        // A peer that reads slowly enough is never waited for otherwise.
        sleeper.resume(this.#deadlines.isPast(this) ? new TimedOut() : undefined);
      },
      (error: Error) => sleeper.resume(error),
    );
  }

  #read(): Uint8Array | 'later' | 'ended' {
    if (this.#output.broken !== undefined) throw this.#output.broken;
    try {
      return this.#transport.read();
    } catch (error) {
      throw this.#output.break(error);
    }
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const GONE = new PeerGone('the conversation is closed');
/** A look at the clock costs about as much as a hundredth of a command. */
const PIECES_PER_CLOCK_READ = 8;
/** The octets of message data that cost about as much as a command. */
const OCTETS_PER_PIECE = 8 * 1024;
