import type { MaybePromise } from '@postern/core';
import { Counted } from './counted.ts';
import { Deadlines, type Wait } from './deadlines.ts';
import { DotUnstuffer } from './dot-stuffing.ts';
import { PeerGone } from './errors.ts';
import { Input, type LineError } from './input.ts';
import { type LineListener, LineLoop } from './line-loop.ts';
import { MemoryAccount, type MemoryBudget } from './memory-budget.ts';
import { NormalizedMessage } from './normalized-message.ts';
import { Output } from './output.ts';
import { PieceLoop, type Source } from './piece-loop.ts';
import type { ChunkConsumer } from './sink.ts';
import type { Standing, Transport, TransportListener } from './transport.ts';
import { TurnQueue } from './turn-queue.ts';

/** A protocol: leads one conversation from the greeting to the end. Rejects only with a bug of its own. */
export interface Protocol {
  (conversation: Conversation): Promise<void>;
  /** The scheme of the protocol's URLs without TLS from the first byte: `smtp`, `lmtp`. */
  readonly scheme?: string;
}

/** How a message that ended with a line of one dot came. */
export interface HeardMessage {
  /** Octets without dot stuffing and without the end. */
  readonly octets: number;
  /** True if a CR or LF that was not part of a CRLF came along (RFC 5321 §2.3.8). Always false for a normalized message. */
  readonly bareLineEndings: boolean;
}

/** What a conversation is given by its server. */
export interface ConversationOptions {
  /** Where the conversation's deadlines are kept: one for all conversations of a server. Default: its own. */
  readonly deadlines?: Deadlines;
  /** Bounds what the peers of all conversations make the process keep: one for all of them. Default: no bound. */
  readonly memory?: MemoryBudget;
  /** Shares the event loop with the server's other conversations: one for all of them. Default: its own. */
  readonly turns?: TurnQueue;
  /** Aborts when the server wants to stop. Default: never. */
  readonly shutdownSignal?: AbortSignal;
  /** How long a hear may wait for the peer, in milliseconds. Default: 300,000 (RFC 5321 §4.5.3.2.7). */
  readonly readTimeout?: number;
  /** How fast bytes and messages must come: octets that buy a second of the patience back. Default: 500. */
  readonly minimumRate?: number;
}

/**
 * One connection's dialogue. Nothing is heard before what was said has been taken off our hands, and nothing waits longer than
 * `patience` allows. Hearing fails with a ConversationError; one thing is heard at a time.
 */
export class Conversation implements TransportListener {
  /** What it sits on: for its addresses and its TLS. Its bytes are the conversation's. */
  readonly transport: Transport;
  /**
   * How long a hear may wait for the peer, in milliseconds. While bytes or a message come, they buy some of
   * it back (`minimumRate`).
   */
  readTimeout: number;
  /** What this peer makes the process keep. Who made the conversation closes it. */
  readonly memory: MemoryAccount;
  /** Octets that buy a second of the patience back. */
  readonly minimumRate: number;
  readonly #deadlines: Deadlines;
  readonly #output: Output;
  readonly #input: Input;
  #standing: Standing = 'stranger';
  #closing: AbortSignal | undefined;
  #gone: AbortController | undefined = undefined;
  #treatHalfCloseAsDisconnect = false;
  #closed = false;
  /** The wait for the peer to end as well. */
  #ending: Wait | undefined = undefined;
  #endPause: (() => void) | undefined = undefined;
  /** True once the transport has nothing of the peer any more. */
  #peerEnded = false;

  constructor(transport: Transport, options: ConversationOptions = {}) {
    this.transport = transport;
    this.readTimeout = options.readTimeout ?? 300_000;
    this.minimumRate = options.minimumRate ?? 500;
    this.#deadlines = options.deadlines ?? new Deadlines();
    this.memory = options.memory?.open() ?? new MemoryAccount();
    this.#output = new Output(transport, this.#deadlines, this.memory);
    this.#input = new Input(transport, this.#output, this.#deadlines, options.turns ?? new TurnQueue());
    this.#closing = options.shutdownSignal;
    transport.listener = this;
  }

  /** Aborts when the server wants to stop: finish what is under way, then take leave. */
  get shutdownSignal(): AbortSignal {
    this.#closing ??= new AbortController().signal;
    return this.#closing;
  }

  /** Aborts when the connection is gone, or, while `treatHalfCloseAsDisconnect` is set, when the peer has no more to say. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      this.#gone = new AbortController();
      this.#tellIfLeft();
    }
    return this.#gone.signal;
  }

  /** True if the signal has aborted, or would have if anybody had asked for it: one that nobody needs is not made. */
  get disconnected(): boolean {
    if (this.#closed || this.#gone?.signal.aborted) return true;
    return this.#treatHalfCloseAsDisconnect && this.#peerEnded && this.#input.chunk === undefined;
  }

  /** Whether a peer that has ended its side, with nothing left to hear, counts as gone, as it does during a login. */
  get treatHalfCloseAsDisconnect(): boolean {
    return this.#treatHalfCloseAsDisconnect;
  }

  set treatHalfCloseAsDisconnect(leave: boolean) {
    this.#treatHalfCloseAsDisconnect = leave;
    this.#input.onEmpty = leave ? () => this.#tellIfLeft() : undefined;
    this.#tellIfLeft();
  }

  /**
   * What the protocol knows of the peer: a listener that is nearly full closes the oldest stranger first. The protocol sets
   * `known` after a login, and `busy` while a stranger's message is under way. Default: `stranger`.
   */
  get standing(): Standing {
    return this.#standing;
  }

  set standing(standing: Standing) {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.transport.setStanding?.(standing);
  }

  /** True if something was heard that nobody has taken yet. */
  get hasInput(): boolean {
    return this.#input.chunk !== undefined || !this.#input.betweenLines;
  }

  /**
   * Has the listener hear line after line, until it wants no more or the peer has ended between two lines. Lines that are there already
   * are passed on at once, as long as the `turns` allow.
   */
  hearLines(listener: LineListener): Promise<void> {
    return new LineLoop(this, this.#input, this.#output, listener).completed;
  }

  /**
   * The next line, without its CRLF, a character an octet (latin1); undefined once the peer has ended between two lines. Fails with
   * LineTooLong if it has more octets than the maximum, with BareLineEnding; if it is interruptible, with Closing where it would have to
   * wait.
   */
  hearLine(maximum: number, interruptible = false): MaybePromise<string | undefined> {
    if (this.#output.writing === undefined && !this.#input.quotaUsed) {
      const line = this.#input.takeLine(maximum);
      if (line !== undefined) return asLine(line);
    }
    return this.#awaitLine(maximum, interruptible);
  }

  /**
   * Exactly so many octets, in pieces. If `take` fails, what remains is still consumed, without it, before its error is thrown on.
   */
  hearBytes(octets: number, take: ChunkConsumer): MaybePromise<void> {
    return this.#hearPieces(new Counted(octets), take);
  }

  /**
   * A dot-stuffed message (RFC 5321 §4.5.2), in pieces, up to its end. If `take` fails, the message is still consumed to its end,
   * without it, before its error is thrown on. After any other failure what comes is half a message: close.
   */
  hearMessage(take: ChunkConsumer): MaybePromise<HeardMessage> {
    return this.#hearPieces(new DotUnstuffer(), take);
  }

  /**
   * Hears a dot-stuffed message as {@link hearMessage} does, and passes it on with a CRLF in place of each bare CR and each bare LF. Only
   * CRLF.CRLF as the peer sent it ends the message. The octets counted are those passed on. Rejects as `hearMessage` does.
   */
  hearNormalizedMessage(take: ChunkConsumer): MaybePromise<HeardMessage> {
    return this.#hearPieces(new NormalizedMessage(), take);
  }

  /**
   * Takes what the peer has sent and nobody has heard, at most `maximum` octets as latin1, without a
   * wait. These are the last words of a peer that left in the middle of a line, or during a write.
   * The conversation hears nothing after this. Never throws.
   */
  unheard(maximum: number): string {
    return this.#input.unheard(maximum);
  }

  /** Says something; it leaves together with what else is said before the next wait. To say much, flush now and then. */
  say(text: string): void {
    this.#output.say(text);
  }

  /** Sends what was said and not sent yet; resolves when more can be said. */
  flush(): MaybePromise<void> {
    if (this.#output.flush() !== undefined) return this.#output.flushed(this.readTimeout).then(() => {});
  }

  /** Sends bytes, after what was said; resolves when more can be sent. For messages, which are no text. */
  async send(bytes: Uint8Array): Promise<void> {
    await this.flush();
    this.#output.write(bytes);
    await this.#output.flushed(this.readTimeout);
  }

  /** What the work comes to, or TimedOut after so many milliseconds. */
  within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
    return this.#deadlines.within(milliseconds, work);
  }

  /**
   * Ends all hearing with TimedOut after `milliseconds` from now, whatever the peer sends and however
   * long `patience` is. A later call sets another end; `Infinity` sets none, which is the default.
   */
  expireIn(milliseconds: number): void {
    this.#input.expireIn(milliseconds);
  }

  /**
   * Sends what was said and hears nothing for `milliseconds`, to slow the peer down. Ends sooner when
   * the connection closes or {@link interrupt} is called. Rejects with PeerGone and TimedOut as
   * {@link flush} does.
   */
  async pause(milliseconds: number): Promise<void> {
    await this.flush();
    if (this.#closed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.#deadlines.after(milliseconds, resolve);
    this.#endPause = resolve;
    await promise;
    this.#endPause = undefined;
  }

  /** Starts TLS; what was said leaves before, and whatever was heard and not taken is dropped. */
  async startTls(): Promise<void> {
    if (this.transport.startTls === undefined) throw new TypeError('this transport has no TLS to start');
    if (this.#input.isAwaited) throw new TypeError('TLS cannot start while the conversation hears');
    await this.flush();
    this.#input.drop();
    await this.within(this.readTimeout, this.transport.startTls());
  }

  /** Sends what was said, ends, and closes when the peer has, or soon. Does not fail. */
  async close(): Promise<void> {
    if (this.#closed) return;
    let left = Math.min(this.readTimeout, MAX_LINGER_MS);
    try {
      if (this.#output.flush() !== undefined) left = await this.#output.flushed(left);
      if (this.#closed) return;
      this.transport.end();
      this.#ending ??= this.#deadlines.wait(left);
      // Closing a socket with something unread resets the connection, and the peer may lose what was said last.
      this.#input.discard();
      await this.#ending.result;
    } catch {
      // It broke, or took too long: the end either way.
    } finally {
      this.destroy();
    }
  }

  /** Breaks off the wait of who hears, if somebody does, for this reason. */
  interrupt(reason: Error): void {
    this.#endPause?.();
    this.#input.resume(reason);
  }

  /** @internal */
  onInput(): void {
    this.#input.resume(undefined);
  }

  /** @internal */
  onEnd(): void {
    this.#peerEnded = true;
    this.#tellIfLeft();
  }

  /** @internal */
  onClose(): void {
    this.#closed = true;
    this.#ending?.resolve();
    this.#endPause?.();
    this.#tellIfLeft();
  }

  /** Closes at once. */
  destroy(): void {
    this.#output.drop();
    this.#input.chunk = undefined;
    this.transport.destroy();
  }

  async #awaitLine(maxOctets: number, interruptible: boolean): Promise<string | undefined> {
    let heard: string | LineError | undefined;
    await this.hearLines({
      maxOctets,
      interruptible,
      heard(line) {
        heard = line;
        return false;
      },
    });
    return heard === undefined ? undefined : asLine(heard);
  }

  #hearPieces<T>(source: Source<T>, take: ChunkConsumer): MaybePromise<T> {
    return new PieceLoop(this, this.#input, this.#output, source, take).hear();
  }

  #tellIfLeft(): void {
    if (this.disconnected) this.#gone?.abort(GONE);
  }
}

function asLine(line: string | LineError): string {
  if (typeof line === 'string') return line;
  throw line;
}

/** Why signals abort: one for all, since taking the stack for each costs as much as a login does. */
const GONE = new PeerGone();
/** How long a peer may take to end its side after us. */
const MAX_LINGER_MS = 5_000;
