import type { Deadlines } from './deadlines.ts';
import { Waiter } from './deadlines.ts';
import { BareLineEnding, Closing, LineTooLong, PeerGone, TimedOut } from './errors.ts';
import { LfLineScanner } from './lf-line-scanner.ts';
import { LineScanner } from './line-scanner.ts';
import type { Output } from './output.ts';
import type { Transport } from './transport.ts';
import type { TurnQueue } from './turn-queue.ts';

/** The error of one line. The conversation can hear the next line. */
export type LineError = LineTooLong | BareLineEnding;

/** The octets that end a line: CR LF (RFC 5321 §2.3.8), or LF alone, where CR is part of a line. */
export type LineEnding = 'crlf' | 'lf';

/** A hear that waits for input. */
export interface InputWaiter {
  /** Continues the hear: with input or the end of input, or with the failure. */
  resume(failure: Error | undefined): void;
}

/** The input of a conversation: the octets that no hear has taken, and the wait for more. */
export class Input extends Waiter {
  /** The octets that no hear has taken, from `offset` on; undefined if all are taken. */
  chunk: Buffer | undefined = undefined;
  offset = 0;
  /** True once the peer has ended its side and `chunk` is the rest of its octets. */
  ended = false;
  /** Called when the hears have taken all octets. */
  onEmpty: (() => void) | undefined = undefined;
  readonly #transport: Transport;
  readonly #output: Output;
  readonly #deadlines: Deadlines;
  readonly #turns: TurnQueue;
  #lines: LineScanner | LfLineScanner = new LineScanner();
  /** The pieces of work until the next reading of the clock. */
  #unclocked = PIECES_PER_CLOCK_READ;
  #waiter: InputWaiter | undefined = undefined;
  #discards = false;

  constructor(transport: Transport, output: Output, deadlines: Deadlines, turns: TurnQueue) {
    super();
    this.#transport = transport;
    this.#output = output;
    this.#deadlines = deadlines;
    this.#turns = turns;
  }

  /** The octets that end a line. */
  get lineEnding(): LineEnding {
    return this.#lines instanceof LfLineScanner ? 'lf' : 'crlf';
  }

  set lineEnding(lineEnding: LineEnding) {
    if (lineEnding === this.lineEnding) return;
    if (!this.betweenLines) throw new TypeError('the line ending changes between two lines only');
    this.#lines = lineEnding === 'lf' ? new LfLineScanner() : new LineScanner();
  }

  /** True between two lines. */
  get betweenLines(): boolean {
    return this.#lines.idle;
  }

  /**
   * True if the conversations have used up this turn of the event loop. Reads the clock once for
   * eight pieces of work.
   */
  get quotaUsed(): boolean {
    if (this.#unclocked > 0) return false;
    if (this.#turns.isOver) return true;
    this.#unclocked = PIECES_PER_CLOCK_READ;
    return false;
  }

  /** The queue of the turns of the event loop. */
  get turns(): TurnQueue {
    return this.#turns;
  }

  /** True while a hear waits. */
  get isAwaited(): boolean {
    return this.#waiter !== undefined;
  }

  /** The milliseconds until the deadline of the last wait. */
  get remaining(): number {
    return this.#deadlines.remaining(this);
  }

  /**
   * Takes the next line, or the error of that line. Returns undefined if the line is not complete.
   */
  takeLine(maxOctets: number): string | LineError | undefined {
    if (this.chunk === undefined) return undefined;
    this.#unclocked--;
    try {
      return this.#lines.scan(this.chunk, this.offset, maxOctets);
    } catch (error) {
      if (error instanceof LineTooLong || error instanceof BareLineEnding) return error;
      throw error;
    } finally {
      this.advance(this.#lines.consumed);
    }
  }

  /** Takes all octets of the chunk. Returns undefined without a chunk. */
  takeChunk(): Buffer | undefined {
    const { chunk, offset } = this;
    if (chunk === undefined) return undefined;
    this.countChunk(chunk.length - offset);
    this.advance(chunk.length);
    return offset === 0 ? chunk : chunk.subarray(offset);
  }

  /** Counts the work of octets that are no lines. */
  countChunk(octets: number): void {
    this.#unclocked -= 1 + octets / OCTETS_PER_PIECE;
  }

  /** Marks the octets of the chunk before `offset` as taken. */
  advance(offset: number): void {
    this.offset = offset;
    if (offset !== this.chunk?.length) return;
    this.chunk = undefined;
    this.onEmpty?.();
  }

  /**
   * Reads the transport's octets, or its end. Returns false if neither has arrived.
   *
   * @throws PeerGone if the connection broke, or if the conversation discards its input: octets are
   * missing then
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
   * Sends the output, since the peer may wait for it, and resumes the waiter once: when input
   * arrives, or after `milliseconds`.
   *
   * @throws PeerGone if the connection broke, Closing if `shutdownSignal` has aborted
   */
  waitFor(waiter: InputWaiter, milliseconds: number, shutdownSignal: AbortSignal | undefined): void {
    if (this.#waiter !== undefined) throw new TypeError('a conversation runs one hear at a time');
    if (this.#output.flush() !== undefined) {
      this.#afterFlush(waiter, milliseconds);
      return;
    }
    if (shutdownSignal?.aborted) throw new Closing();
    this.#waiter = waiter;
    this.#unclocked = PIECES_PER_CLOCK_READ;
    this.#deadlines.begin(this, milliseconds, shutdownSignal);
  }

  /** Resumes the waiter once: when input arrives. The caller measures the time. */
  awaitChunk(waiter: InputWaiter): void {
    this.#waiter = waiter;
    this.#unclocked = PIECES_PER_CLOCK_READ;
  }

  /** Resumes the waiter in a later turn of the event loop.
   *
   * @throws TimedOut after the time of {@link expireIn}
   */
  yieldTurn(waiter: InputWaiter): void {
    if (this.#deadlines.isPast(this)) throw new TimedOut();
    this.#unclocked = PIECES_PER_CLOCK_READ;
    this.#turns.wait(waiter);
  }

  /**
   * Sets the deadline of the wait to `milliseconds` from now. {@link remaining} counts from here.
   */
  grant(milliseconds: number): void {
    this.#deadlines.grant(this, milliseconds);
  }

  /** Ends every wait with TimedOut `milliseconds` from now, independent of the input. */
  expireIn(milliseconds: number): void {
    this.#deadlines.limit(this, milliseconds);
  }

  /**
   * Discards the input up to its end, and fails the hear that waits. Destroys the transport if the
   * connection broke.
   */
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

  /**
   * Takes the octets that have arrived and that no hear has taken, as latin1, without a wait. Never
   * throws.
   */
  unheard(maxOctets: number): string {
    let text = this.#lines.unfinished + (this.chunk?.toString('latin1', this.offset) ?? '');
    this.drop();
    try {
      while (text.length < maxOctets) {
        const read = this.#transport.read();
        if (typeof read === 'string') break;
        text += asBuffer(read).toString('latin1');
      }
    } catch {
      // The connection broke: the transport has no more.
    }
    return text.slice(0, maxOctets);
  }

  /** Drops the octets that no hear has taken. */
  drop(): void {
    this.chunk = undefined;
    this.#lines.reset();
  }

  override fail(reason: Error): void {
    this.resume(reason);
  }

  /** Resumes the hear that waits: input has arrived, or the wait has failed. */
  resume(failure: Error | undefined): void {
    if (this.#discards && failure === undefined) {
      this.discard();
      return;
    }
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#waiter = undefined;
    this.#deadlines.end(this);
    waiter.resume(failure);
  }

  /** Resumes the waiter when the transport has accepted the output, with the rest of its time. */
  #afterFlush(waiter: InputWaiter, milliseconds: number): void {
    this.#output.flushed(milliseconds).then(
      (remaining) => {
        this.#deadlines.grant(this, remaining);
        // A peer that reads slowly would otherwise never reach the limit of all waits.
        waiter.resume(this.#deadlines.isPast(this) ? new TimedOut() : undefined);
      },
      (error: Error) => waiter.resume(error),
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
