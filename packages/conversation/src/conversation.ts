import { Counted } from './counted.ts';
import { Deadlines, Waiter } from './deadlines.ts';
import { DotUnstuffer } from './dot-stuffing.ts';
import { Closing, PeerGone } from './errors.ts';
import { LineScanner } from './line-scanner.ts';
import { Output } from './output.ts';
import { Sink, type Take } from './sink.ts';
import type { MaybePromise, Transport } from './transport.ts';

/** A protocol: leads one conversation from the greeting to the end. Rejects only with a bug of its own. */
export type Protocol = (conversation: Conversation) => Promise<void>;

/** How a message that ended with a line of one dot came. */
export interface HeardMessage {
  /** Octets without dot stuffing and without the end. */
  readonly octets: number;
  /** True if a CR or LF that was not part of a CRLF came along (RFC 5321 §2.3.8). */
  readonly bareLineEndings: boolean;
}

export interface ConversationOptions {
  /** Where the conversation's deadlines are kept: one for all conversations of a server. Default: its own. */
  readonly deadlines?: Deadlines;
  /** Aborts when the server wants to stop. Default: never. */
  readonly closing?: AbortSignal;
  /** How long a hear may wait for the peer, in milliseconds. Default: 300,000 (RFC 5321 §4.5.3.2.7). */
  readonly patience?: number;
  /** How fast bytes and messages must come: octets that buy a second of the patience back. Default: 500. */
  readonly minimumRate?: number;
}

/**
 * One connection's dialogue. Nothing is heard before what was said has been taken off our hands, and nothing waits longer than
 * `patience` allows. Hearing fails with a ConversationError; one thing is heard at a time.
 */
export class Conversation {
  readonly transport: Transport;
  /**
   * How long a hear may wait for the peer, in milliseconds. While bytes or a message come, every 500 octets (`minimumRate`) buy a second
   * of it back.
   */
  patience: number;
  readonly #deadlines: Deadlines;
  readonly #minimumRate: number;
  readonly #lines = new LineScanner();
  readonly #output: Output;
  #closing: AbortSignal | undefined;
  #gone: AbortController | undefined;
  #leaveOnEnd = false;
  #closed = false;
  #onceClosed: (() => void) | undefined;

  /** What was heard and not taken, from `#at` on. */
  #chunk: Buffer | undefined;
  #at = 0;
  /** The read that is under way. */
  #reading: Promise<Uint8Array | undefined> | undefined = undefined;
  readonly #hearing: Hearing;
  /** True once the peer has ended its side and all that it sent has been taken. */
  #ended = false;
  /** How many lines may still be heard before others have their turn. */
  #linesLeft = LINES_IN_A_ROW;
  /** True once the transport has nothing of the peer any more. */
  #peerEnded = false;

  constructor(transport: Transport, options: ConversationOptions = {}) {
    this.transport = transport;
    this.#hearing = new Hearing(transport);
    this.#output = new Output(transport);
    this.patience = options.patience ?? 300_000;
    this.#minimumRate = options.minimumRate ?? 500;
    this.#deadlines = options.deadlines ?? new Deadlines();
    this.#closing = options.closing;
    transport.onClose = () => this.#onClose();
    transport.onEnd = () => this.#onEnd();
  }

  /** Aborts when the server wants to stop: finish what is under way, then take leave. */
  get closing(): AbortSignal {
    this.#closing ??= new AbortController().signal;
    return this.#closing;
  }

  /** Aborts when the connection is gone, or, while `leaveOnEnd` is set, when the peer has no more to say. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      this.#tellIfLeft();
    }
    return this.#gone.signal;
  }

  /** True if the signal has aborted, or would have if anybody had asked for it: one that nobody needs is not made. */
  get left(): boolean {
    if (this.#closed || this.#gone?.signal.aborted) return true;
    return this.#leaveOnEnd && this.#peerEnded && this.#chunk === undefined;
  }

  /** Whether a peer that has ended its side, with nothing left to hear, counts as gone, as it does during a login. */
  get leaveOnEnd(): boolean {
    return this.#leaveOnEnd;
  }

  set leaveOnEnd(leave: boolean) {
    this.#leaveOnEnd = leave;
    this.#tellIfLeft();
  }

  /** True if something was heard that nobody has taken yet. */
  get hasInput(): boolean {
    return this.#chunk !== undefined || !this.#lines.idle;
  }

  /**
   * The next line without its CRLF, a character an octet (latin1); undefined once the peer has ended between two lines. Fails with
   * LineTooLong if it has more octets than the maximum, with BareLineEnding; if it is interruptible, with Closing where it would have to
   * wait. After so many lines it waits for a turn of the others, though more lines are there.
   */
  hearLine(maximum: number, interruptible = false): MaybePromise<string | undefined> {
    if (this.#output.writing === undefined && --this.#linesLeft >= 0) {
      const line = this.#takeLine(maximum);
      if (line !== undefined) return line;
    }
    return this.#awaitLine(maximum, interruptible ? this.#closing : undefined);
  }

  /** The next octet, which is not taken; undefined once the peer has ended. Waits as {@link hearLine} does. */
  peek(interruptible = false): MaybePromise<number | undefined> {
    return this.#chunk?.[this.#at] ?? this.#awaitOctet(interruptible ? this.#closing : undefined);
  }

  /**
   * Exactly so many octets, in pieces. If `take` fails, what remains is still consumed, without it, before its error is thrown on.
   */
  hearBytes(octets: number, take: (piece: Uint8Array) => MaybePromise<void>): Promise<void> {
    return this.#hearPieces(new Counted(octets), take);
  }

  /**
   * A dot-stuffed message (RFC 5321 §4.5.2), in pieces, up to its end. If `take` fails, the message is still consumed to its end,
   * without it, before its error is thrown on. After any other failure what comes is half a message: close.
   */
  async hearMessage(take: Take): Promise<HeardMessage> {
    const message = new DotUnstuffer();
    await this.#hearPieces(message, take);
    return { octets: message.octets, bareLineEndings: message.bareLineEndings };
  }

  /** Says something; it leaves together with what else is said before the next wait. To say much, flush now and then. */
  say(text: string): void {
    this.#output.say(text);
  }

  /** Sends what was said and not sent yet; resolves when more can be said. */
  flush(): MaybePromise<void> {
    this.#output.send();
    if (this.#output.broken !== undefined) throw this.#output.broken;
    if (this.#output.writing !== undefined) return this.#flushed(this.patience).then(() => {});
  }

  /** Sends bytes, after what was said; resolves when more can be sent. For messages, which are no text. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.flush();
    this.#output.write(bytes);
    await this.#flushed(this.patience);
  }

  /** What the work comes to, or TimedOut after so many milliseconds. */
  within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
    return this.#deadlines.within(milliseconds, work);
  }

  /** Starts TLS; what was said leaves before, and whatever was heard and not taken is dropped. */
  async startTls(): Promise<void> {
    if (this.transport.startTls === undefined) throw new TypeError('this transport has no TLS to start');
    if (this.#reading !== undefined) throw new TypeError('TLS cannot start while the conversation hears');
    await this.flush();
    this.#chunk = undefined;
    this.#lines.reset();
    await this.within(this.patience, this.transport.startTls());
  }

  /** Sends what was said, ends, and closes when the peer has, or soon. Does not fail. */
  async close(): Promise<void> {
    if (this.#closed) return;
    let left = Math.min(this.patience, MAXIMUM_LINGERING);
    try {
      left = await this.#flushed(left);
      this.transport.end();
      // Closing a socket with something unread resets the connection, and the peer may lose what was said last.
      while (!this.#ended) {
        this.#chunk = undefined;
        left = await this.#hearMore(left);
      }
      if (!this.#closed) {
        const wait = this.#deadlines.wait(left);
        this.#onceClosed = () => wait.end();
        await wait.over;
      }
    } catch {
      // It broke, or took too long: the end either way.
    } finally {
      this.destroy();
    }
  }

  /** Closes at once. */
  destroy(): void {
    this.#output.drop();
    this.#chunk = undefined;
    this.transport.destroy();
  }

  #takeLine(maximum: number): string | undefined {
    if (this.#chunk === undefined) return undefined;
    try {
      return this.#lines.scan(this.#chunk, this.#at, maximum);
    } finally {
      this.#advance(this.#lines.at);
    }
  }

  async #awaitLine(maximum: number, closing: AbortSignal | undefined): Promise<string | undefined> {
    let left = this.patience;
    if (this.#linesLeft < 0) {
      this.#linesLeft = LINES_IN_A_ROW;
      await new Promise(setImmediate);
      if (closing?.aborted) throw new Closing();
    }
    if (this.#output.writing !== undefined) left = await this.#flushed(left);
    for (;;) {
      const line = this.#takeLine(maximum);
      if (line !== undefined) return line;
      if (this.#ended) {
        if (this.#lines.idle) return undefined;
        throw new PeerGone('the peer left in the middle of a line');
      }
      if (this.#read()) continue;
      // As #hearMore does it. Here most connections wait most of their time: one promise less is worth having.
      const read = this.#listen(left, closing);
      if (read === undefined) {
        left = await this.#flushed(left);
        continue;
      }
      try {
        this.#heard(await read);
      } catch (error) {
        this.#deafened(error);
      }
      left = this.#listened();
    }
  }

  async #awaitOctet(closing: AbortSignal | undefined): Promise<number | undefined> {
    let left = this.patience;
    while (this.#chunk === undefined && !this.#ended) left = await this.#hearMore(left, closing);
    return this.#chunk?.[this.#at];
  }

  /** Passes on what the source makes of what is heard, up to its end. */
  async #hearPieces(source: Counted | DotUnstuffer, take: Take): Promise<void> {
    const sink = new Sink(take);
    let left = this.patience;
    while (!source.ended) {
      const chunk = this.#chunk;
      if (chunk === undefined) {
        if (this.#ended) throw new PeerGone('the peer left in the middle of a message');
        if (this.#output.writing !== undefined || !this.#read()) left = await this.#hearMore(left);
        continue;
      }
      const piece = source.next(chunk, this.#at);
      left = this.#earn(left, source.at - this.#at);
      this.#advance(source.at);
      const taken = sink.take(piece, this.#chunk === chunk ? undefined : chunk);
      if (taken !== undefined) await taken;
    }
    sink.rethrow();
  }

  /** Takes what the transport has at once, if only the end; false if there is a read to wait for. */
  #read(): boolean {
    if (this.#output.broken !== undefined) throw this.#output.broken;
    if (this.#reading !== undefined) return false;
    const read = this.transport.read();
    if (read instanceof Promise) {
      this.#reading = read;
      return false;
    }
    this.#heard(read);
    return true;
  }

  /** Hears more, or the end; comes to the patience that is left. */
  async #hearMore(left: number, closing?: AbortSignal): Promise<number> {
    if (this.#read()) return left;
    const read = this.#listen(left, closing);
    if (read === undefined) return this.#flushed(left);
    try {
      this.#heard(await read);
    } catch (error) {
      this.#deafened(error);
    }
    return this.#listened();
  }

  /**
   * Begins to wait for the read that is under way. What was said leaves first: the peer may be waiting for it. Undefined if that
   * takes its time, or the connection is broken.
   */
  #listen(left: number, closing: AbortSignal | undefined): Promise<Uint8Array | undefined> | undefined {
    const read = this.#reading;
    this.#output.send();
    const stuck = this.#output.writing !== undefined || this.#output.broken !== undefined;
    // The read may be waited for later.
    if (stuck || closing?.aborted) read?.catch(ignore);
    if (stuck) return undefined;
    if (closing?.aborted) throw new Closing();
    this.#deadlines.begin(this.#hearing, left, closing);
    return read;
  }

  /** Ends that; comes to the patience that is left. */
  #listened(): number {
    this.#reading = undefined;
    this.#deadlines.end(this.#hearing);
    return this.#deadlines.left(this.#hearing);
  }

  #deafened(error: unknown): never {
    this.#listened();
    if (error === this.#hearing.failure) throw error;
    this.#output.break(error);
    throw this.#output.broken;
  }

  #heard(chunk: Uint8Array | undefined): void {
    this.#at = 0;
    if (chunk === undefined) this.#ended = true;
    else if (chunk.length > 0) this.#chunk = asBuffer(chunk);
  }

  /** Waits for something that does not reject; comes to the patience that is left. */
  async #patiently(thing: Promise<void>, left: number): Promise<number> {
    const wait = this.#deadlines.wait(left);
    void thing.then(() => wait.end());
    await wait.over;
    return this.#deadlines.left(wait);
  }

  /** A peer that sends enough gets its patience back (as Postfix has it: a second for so many octets, never more than at first). */
  #earn(left: number, octets: number): number {
    return Math.min(this.patience, left + (octets * 1000) / this.#minimumRate);
  }

  /** Sends all that was said and waits until the transport can take more. */
  async #flushed(left: number): Promise<number> {
    let rest = left;
    this.#output.send();
    while (this.#output.writing !== undefined) {
      rest = await this.#patiently(this.#output.writing, rest);
      this.#output.send();
    }
    if (this.#output.broken !== undefined) throw this.#output.broken;
    return rest;
  }

  #onClose(): void {
    this.#closed = true;
    this.#onceClosed?.();
    this.#tellIfLeft();
  }

  #onEnd(): void {
    this.#peerEnded = true;
    this.#tellIfLeft();
  }

  #tellIfLeft(): void {
    if (this.left) this.#gone?.abort(GONE);
  }

  #advance(at: number): void {
    this.#at = at;
    if (at !== this.#chunk?.length) return;
    this.#chunk = undefined;
    if (this.#peerEnded) this.#tellIfLeft();
  }
}

/** A conversation's waiting for its peer. */
class Hearing extends Waiter {
  /** Why the last read was broken off, if one was. */
  failure: Error | undefined = undefined;
  readonly #transport: Transport;

  constructor(transport: Transport) {
    super();
    this.#transport = transport;
  }

  override fail(reason: Error): void {
    this.failure = reason;
    this.#transport.interrupt(reason);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ignore(): void {}

/** Why signals abort: one for all, since taking the stack for each costs as much as a login does. */
const GONE = new PeerGone();
/** Lines that one peer can have answered while all others wait: about a millisecond's work. */
const LINES_IN_A_ROW = 256;
/** How long a peer may take to end its side after us. */
const MAXIMUM_LINGERING = 5_000;
