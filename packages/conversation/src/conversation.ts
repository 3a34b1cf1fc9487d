import type { Disconnection, DisconnectListener, MaybePromise } from '@postern/core';
import type { ConversationOptions } from './conversation-options.ts';
import { Counted } from './counted.ts';
import { Deadlines } from './deadlines.ts';
import { Disconnect } from './disconnect.ts';
import { DotUnstuffer } from './dot-stuffing.ts';
import type { HeardMessage, MessageReceiver } from './heard-message.ts';
import { Input, type LineEnding } from './input.ts';
import { type LineListener, LineLoop, type LineServer } from './line-loop.ts';
import { Linger } from './linger.ts';
import { MemoryAccount } from './memory-budget.ts';
import { NormalizedMessage } from './normalized-message.ts';
import { OctetHear } from './octet-hear.ts';
import { asLine, OneLine } from './one-line.ts';
import { Output } from './output.ts';
import { PassThrough, type PassThroughEnd, type PassThroughOptions } from './pass-through.ts';
import { PieceLoop, type Source } from './piece-loop.ts';
import { type ChunkConsumer, PromisingReceiver } from './piece-receiver.ts';
import type { Standing, Transport, TransportListener } from './transport.ts';
import { TurnQueue } from './turn-queue.ts';

/**
 * Runs one conversation, from the greeting until the connection closes. Rejects only if the
 * protocol has a bug.
 */
export interface Protocol {
  (conversation: Conversation): Promise<void>;
  /** The URL scheme of the protocol without implicit TLS: `smtp`, `lmtp`. */
  readonly scheme?: string;
}

/**
 * The dialogue on one connection: hears lines, octets and messages, and says replies. A hear waits
 * until the transport has accepted all replies, at most `readTimeout` milliseconds. One hear runs
 * at a time. Hears reject with a {@link ConversationError}.
 *
 * @example
 * ```ts
 * import type { Protocol } from '@postern/conversation';
 *
 * export const echo: Protocol = async (conversation) => {
 *   conversation.say('220 echo\r\n');
 *   for (let line = await conversation.hearLine(512); line !== undefined; line = await conversation.hearLine(512)) {
 *     conversation.say(`250 ${line}\r\n`);
 *   }
 *   await conversation.close();
 * };
 * ```
 */
export class Conversation implements TransportListener, Disconnection {
  /**
   * The transport, for its addresses and its TLS information. Only the conversation reads and
   * writes its octets.
   */
  readonly transport: Transport;
  /**
   * The most milliseconds that one hear waits for the peer. Octets of a message extend the time
   * again, as {@link minimumRate} says.
   */
  readTimeout: number;
  /**
   * The memory that this connection holds. The server that made the conversation closes the
   * account.
   */
  readonly memory: MemoryAccount;
  /** The number of octets that extend a read by one second, up to `readTimeout`. */
  readonly minimumRate: number;
  readonly #deadlines: Deadlines;
  readonly #output: Output;
  readonly #input: Input;
  #standing: Standing = 'unauthenticated';
  #shutdownSignal: AbortSignal | undefined;
  readonly #disconnect = new Disconnect();
  #treatHalfCloseAsDisconnect = false;
  #closed = false;
  /** The wait for the peer to end its side, while this conversation closes. */
  #linger: Linger | undefined = undefined;
  #endPause: (() => void) | undefined = undefined;
  /** True once the peer has ended its side and the transport holds none of its octets. */
  #peerEnded = false;

  constructor(transport: Transport, options: ConversationOptions = {}) {
    this.transport = transport;
    this.readTimeout = options.readTimeout ?? 300_000;
    this.minimumRate = options.minimumRate ?? 500;
    this.#deadlines = options.deadlines ?? new Deadlines();
    this.memory = options.account ?? options.memory?.open() ?? new MemoryAccount();
    this.#output = new Output(transport, this.#deadlines, this.memory);
    this.#input = new Input(transport, this.#output, this.#deadlines, options.turns ?? new TurnQueue());
    this.#shutdownSignal = options.shutdownSignal;
    transport.listener = this;
  }

  /**
   * Aborts when the server begins to shut down. A protocol then finishes its transaction, says
   * goodbye and closes.
   */
  get shutdownSignal(): AbortSignal {
    this.#shutdownSignal ??= new AbortController().signal;
    return this.#shutdownSignal;
  }

  /**
   * Aborts when the connection closes. While {@link treatHalfCloseAsDisconnect} is true, it also
   * aborts when the peer has ended its side and all its octets are heard.
   */
  get signal(): AbortSignal {
    const isFirst = !this.#disconnect.hasSignal;
    const { signal } = this.#disconnect;
    if (isFirst) this.#abortIfDisconnected();
    return signal;
  }

  /**
   * True if {@link signal} has aborted. Reading this creates no signal, which makes it the cheaper
   * check.
   */
  get disconnected(): boolean {
    if (this.#closed || this.#disconnect.hasAborted) return true;
    return this.#treatHalfCloseAsDisconnect && this.#peerEnded && this.#input.chunk === undefined;
  }

  /**
   * Calls the listener once when the peer disconnects, as {@link signal} says. Cheaper than a
   * listener of the signal. Calls it at once if the peer has disconnected.
   */
  addDisconnectListener(listener: DisconnectListener): void {
    if (this.disconnected) listener.onDisconnect();
    else this.#disconnect.add(listener);
  }

  /** Removes a listener of {@link addDisconnectListener}, if it is still there. */
  removeDisconnectListener(listener: DisconnectListener): void {
    this.#disconnect.remove(listener);
  }

  /**
   * True if a peer that has ended its side counts as disconnected, as it does during a login.
   * Default: false.
   */
  get treatHalfCloseAsDisconnect(): boolean {
    return this.#treatHalfCloseAsDisconnect;
  }

  set treatHalfCloseAsDisconnect(value: boolean) {
    this.#treatHalfCloseAsDisconnect = value;
    this.#input.onEmpty = value ? () => this.#abortIfDisconnected() : undefined;
    this.#abortIfDisconnected();
  }

  /**
   * The rank of this peer when the listener runs out of connections: it closes the oldest
   * unauthenticated peer first. The protocol sets `authenticated` after a login, and `busy` while
   * it receives a peer's message. Default: `unauthenticated`.
   */
  get standing(): Standing {
    return this.#standing;
  }

  set standing(standing: Standing) {
    if (standing === this.#standing) return;
    this.#standing = standing;
    this.transport.setStanding?.(standing);
  }

  /**
   * The octets that end a line of the peer: `crlf`, or `lf`, where only LF ends a line and a CR is
   * an octet of the line. Set it before the first hear, or between two lines. Default: `crlf`.
   *
   * @throws TypeError if a hear has stopped within a line, when set
   */
  get lineEnding(): LineEnding {
    return this.#input.lineEnding;
  }

  set lineEnding(lineEnding: LineEnding) {
    this.#input.lineEnding = lineEnding;
  }

  /** True if octets have arrived that no hear has taken. */
  get hasInput(): boolean {
    return this.#input.chunk !== undefined || !this.#input.betweenLines;
  }

  /**
   * Calls `listener.heard` for each line until it returns false or the peer ends its side between
   * two lines. Lines that have arrived are passed on synchronously, within the share of the
   * `turns`.
   *
   * @throws ConversationError and any error of the listener, as a rejection
   */
  hearLines(listener: LineListener): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    new LineLoop(this, this.#input, this.#output, listener, { ended: resolve, failed: reject });
    return promise;
  }

  /**
   * Calls `server.heard` for each line as {@link hearLines} does, and then `server.ended` or
   * `server.failed`. A conversation that idles so holds no promise.
   */
  serveLines(server: LineServer): void {
    new LineLoop(this, this.#input, this.#output, server, server);
  }

  /**
   * Returns the next line without its end, one character for each octet (latin1). Returns undefined
   * if the peer ends its side between two lines. {@link lineEnding} ends a line. An `interruptible`
   * hear stops waiting when the server shuts down.
   *
   * @throws LineTooLong for more than `maxOctets` octets, BareLineEnding, TimedOut, PeerGone,
   * Displaced, and Closing for an interruptible hear
   */
  hearLine(maxOctets: number, interruptible = false): MaybePromise<string | undefined> {
    if (this.#output.writing === undefined && !this.#input.quotaUsed) {
      const line = this.#input.takeLine(maxOctets);
      if (line !== undefined) return asLine(line);
    }
    return this.#awaitLine(maxOctets, interruptible);
  }

  /**
   * Resolves with the octets that have arrived, at least one, for a protocol that frames its input
   * itself. Waits at most `readTimeout` milliseconds for the first. The caller owns the octets.
   * Resolves with undefined if the peer has ended its side. An `interruptible` hear stops waiting
   * when the server shuts down. Octets that have arrived do not wait for the output: a caller whose
   * replies must wait for a slow reader calls {@link send} or {@link flush}.
   *
   * @throws TimedOut, PeerGone, Displaced, and Closing for an interruptible hear
   */
  hearOctets(interruptible = false): Promise<Buffer | undefined> {
    const shutdownSignal = interruptible ? this.shutdownSignal : undefined;
    return new OctetHear(this.#input, this.readTimeout, shutdownSignal).completed;
  }

  /**
   * Passes exactly `octets` octets to the consumer, in pieces. If the consumer fails, the
   * conversation discards the remaining octets and then rejects with that error.
   *
   * @throws TimedOut, PeerGone, Displaced
   */
  hearBytes(octets: number, consume: ChunkConsumer): MaybePromise<void> {
    return this.#hearPieces(new Counted(octets), consume);
  }

  /**
   * Passes a dot-stuffed message (RFC 5321 §4.5.2) to the consumer, in pieces without dot stuffing.
   * If the consumer fails, the conversation discards the rest of the message and then rejects with
   * that error. After any other error the input stands within the message: close the conversation.
   *
   * @throws TimedOut, PeerGone, Displaced
   */
  hearMessage(consume: ChunkConsumer): MaybePromise<HeardMessage> {
    return this.#hearPieces(new DotUnstuffer(), consume);
  }

  /**
   * Passes a dot-stuffed message to the consumer as {@link hearMessage} does, with a CRLF in place
   * of each bare CR and each bare LF. Only CRLF.CRLF as the peer sent it ends the message. `octets`
   * counts the normalized message.
   *
   * @throws TimedOut, PeerGone, Displaced
   */
  hearNormalizedMessage(consume: ChunkConsumer): MaybePromise<HeardMessage> {
    return this.#hearPieces(new NormalizedMessage(), consume);
  }

  /**
   * Passes a dot-stuffed message to the receiver as {@link hearMessage} does, or normalized as
   * {@link hearNormalizedMessage} does, without a promise. Returns the facts about a message that
   * has arrived. Returns undefined if the conversation waits: then it calls `heard` or `failed` of
   * the receiver.
   *
   * @throws TimedOut, PeerGone, Displaced, and an error of the receiver
   */
  receiveMessage(receiver: MessageReceiver, normalizes: boolean): HeardMessage | undefined {
    const source = normalizes ? new NormalizedMessage() : new DotUnstuffer();
    const loop = new PieceLoop<HeardMessage>(this, this.#input, this.#output, source, receiver);
    return loop.hear() ? loop.conclude() : undefined;
  }

  /**
   * Takes the octets that have arrived and that no hear has taken, at most `maxOctets` as latin1,
   * without a wait. They are the last input of a peer that disconnected within a line or during a
   * write. The conversation hears nothing after this call. Never throws.
   */
  unheard(maxOctets: number): string {
    return this.#input.unheard(maxOctets);
  }

  /**
   * Appends the text to the output. One write sends all that was said before the next wait. Call
   * {@link flush} between large texts.
   */
  say(text: string): void {
    this.#output.say(text);
  }

  /** Sends the output. Resolves when the transport accepts more.
   *
   * @throws PeerGone, TimedOut
   */
  flush(): MaybePromise<void> {
    if (this.#output.flush() !== undefined) return this.#output.flushed(this.readTimeout).then(() => {});
  }

  /** True while the transport accepts no more output: then {@link flush} returns a promise. */
  get isCongested(): boolean {
    return this.#output.writing !== undefined;
  }

  /**
   * Sends octets after the output that was said, for content that is no text. Resolves when the
   * transport accepts more: synchronously if it does now. The caller may then reuse the octets. A
   * conversation that has used up the turn of the event loop waits for its next one.
   *
   * @throws PeerGone, TimedOut
   */
  send(bytes: Uint8Array): MaybePromise<void> {
    const flushed = this.flush();
    if (flushed !== undefined) return flushed.then(() => this.send(bytes));
    this.#output.write(bytes);
    return this.flush() ?? this.#shareTurn(bytes.length);
  }

  /** Counts the work of some octets. Returns a promise of the next turn if this one is used up. */
  #shareTurn(octets: number): MaybePromise<void> {
    this.#input.countChunk(octets);
    if (!this.#input.quotaUsed) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#input.yieldTurn({ resume: (failure) => (failure === undefined ? resolve() : reject(failure)) });
    return promise;
  }

  /**
   * Resolves as the work does, or rejects with TimedOut after `milliseconds`. The work itself
   * continues.
   */
  within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
    return this.#deadlines.within(milliseconds, work);
  }

  /**
   * Ends all hearing with TimedOut `milliseconds` from now, independent of `readTimeout` and of the
   * input. A later call replaces the time. `Infinity` removes it, which is the default.
   */
  expireIn(milliseconds: number): void {
    this.#input.expireIn(milliseconds);
  }

  /**
   * Sends the output and hears nothing for `milliseconds`, to slow the peer down. The pause ends
   * early if the connection closes or {@link interrupt} is called.
   *
   * @throws PeerGone, TimedOut
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

  /**
   * Returns a conversation with another peer, for the work of this one. It shares the deadlines,
   * the turns, the memory account and the shutdown signal. The transport's read-ahead counts as
   * memory of this conversation.
   */
  beside(transport: Transport): Conversation {
    transport.memory = this.memory;
    return new Conversation(transport, {
      deadlines: this.#deadlines,
      account: this.memory,
      turns: this.#input.turns,
      shutdownSignal: this.shutdownSignal,
      readTimeout: this.readTimeout,
      minimumRate: this.minimumRate,
    });
  }

  /**
   * Passes all further octets between this peer and another one, in both directions: the octets
   * that no hear has taken first. Waits with reading while the other side accepts nothing. Passes
   * on the end of a side. Closes both conversations when both sides have ended, one breaks, nothing
   * passes for `idleTimeout`, or the server shuts down. Resolves after both have closed. Never
   * rejects.
   *
   * @throws TypeError if a hear is running or has stopped within a line.
   */
  passThrough(peer: Conversation, options: PassThroughOptions = {}): Promise<PassThroughEnd> {
    for (const { isAwaited, betweenLines } of [this.#input, peer.#input]) {
      if (isAwaited || !betweenLines) throw new TypeError('a hear is unfinished');
    }
    const near = { conversation: this, input: this.#input, output: this.#output };
    const far = { conversation: peer, input: peer.#input, output: peer.#output };
    const pass = new PassThrough(near, far, this.#deadlines, options);
    pass.begin(this.shutdownSignal);
    return pass.completed;
  }

  /**
   * Sends the output, discards the input that no hear has taken, and starts TLS on the connection.
   *
   * @throws TypeError if the transport has no TLS or a hear is running; TimedOut, and any error of
   * the handshake
   */
  async startTls(): Promise<void> {
    if (this.transport.startTls === undefined) throw new TypeError('this transport has no TLS to start');
    if (this.#input.isAwaited) throw new TypeError('TLS cannot start while the conversation hears');
    await this.flush();
    this.#input.drop();
    await this.within(this.readTimeout, this.transport.startTls());
  }

  /**
   * Sends the output and ends this side. Closes the connection when the peer ends its side, or
   * after five seconds. Never rejects.
   */
  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    if (this.#linger === undefined) {
      this.#linger = new Linger(this, this.#input, this.#output, this.#deadlines);
      this.#linger.begin();
    }
    return this.#linger.completed;
  }

  /** Makes the hear that is waiting reject with the reason, and ends a pause. */
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
    this.#abortIfDisconnected();
  }

  /** @internal */
  onClose(): void {
    this.#closed = true;
    this.#linger?.end();
    this.#endPause?.();
    this.#abortIfDisconnected();
  }

  /** Closes the connection at once and discards the output. */
  destroy(): void {
    this.#output.drop();
    this.#input.chunk = undefined;
    this.transport.destroy();
  }

  #awaitLine(maxOctets: number, interruptible: boolean): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const line = new OneLine(maxOctets, interruptible, resolve, reject);
      new LineLoop(this, this.#input, this.#output, line, line);
    });
  }

  #hearPieces<T>(source: Source<T>, consume: ChunkConsumer): MaybePromise<T> {
    const receiver = new PromisingReceiver<T>(consume);
    const loop = new PieceLoop(this, this.#input, this.#output, source, receiver);
    return loop.hear() ? loop.conclude() : receiver.promise();
  }

  #abortIfDisconnected(): void {
    if (this.disconnected) this.#disconnect.report();
  }
}
