import { type Deadlines, Waiter } from './deadlines.ts';
import { Closing, ConversationError, Displaced, TimedOut } from './errors.ts';
import type { Input, InputWaiter } from './input.ts';
import type { Output } from './output.ts';
import { release } from './release.ts';
import type { Transport } from './transport.ts';

/** The time limits of a pass-through, in milliseconds. */
export interface PassThroughOptions {
  /**
   * The most milliseconds without an octet in either direction. Default: 2,100,000, which is 35
   * minutes: a client in IDLE may be silent for 29 minutes (RFC 2177 §3).
   */
  readonly idleTimeout?: number;
  /**
   * The most milliseconds that a side leaves one chunk unread, or sends no octet once the other
   * side has ended. Default: 300,000.
   */
  readonly writeTimeout?: number;
}

/** The end of a pass-through. */
export interface PassThroughEnd {
  /**
   * `ended`: both sides ended. `broken`: this connection broke; `peer-broken`: the peer's did.
   * `timeout`: no octet passed within a time limit. `shutdown`: the server shuts down, or needs the
   * connection for another peer.
   */
  readonly reason: 'ended' | 'broken' | 'peer-broken' | 'timeout' | 'shutdown';
  /** The octets that this side sent to the peer. */
  readonly sent: number;
  /** The octets that the peer sent to this side. */
  readonly received: number;
}

/** One side of a pass-through: a conversation and its parts. */
export interface Side {
  readonly input: Input;
  readonly output: Output;
  readonly conversation: {
    readonly transport: Transport;
    addDisconnectListener(listener: { onDisconnect(): void }): void;
    close(): Promise<void>;
  };
}

/**
 * Passes octets between two conversations in both directions, until both sides have ended or one
 * breaks. It reads no octet from one side while a write to the other side is unfinished. So it
 * holds at most one chunk in each direction, and the output's account pays for the chunk.
 */
export class PassThrough extends Waiter {
  /** Resolves when both conversations have closed. */
  readonly completed: Promise<PassThroughEnd>;
  readonly #near: Side;
  readonly #far: Side;
  readonly #deadlines: Deadlines;
  readonly #writeTimeout: number;
  #idleTimeout: number;
  readonly #sending: Direction;
  readonly #receiving: Direction;
  readonly #resolve: (end: PassThroughEnd | Promise<PassThroughEnd>) => void;
  #isOver = false;

  constructor(near: Side, far: Side, deadlines: Deadlines, options: PassThroughOptions) {
    super();
    const { promise, resolve } = Promise.withResolvers<PassThroughEnd>();
    this.completed = promise;
    this.#resolve = resolve;
    this.#near = near;
    this.#far = far;
    this.#deadlines = deadlines;
    this.#idleTimeout = options.idleTimeout ?? IDLE_TIMEOUT_MS;
    this.#writeTimeout = options.writeTimeout ?? WRITE_TIMEOUT_MS;
    this.#sending = new Direction(this, near, far, deadlines, this.#writeTimeout);
    this.#receiving = new Direction(this, far, near, deadlines, this.#writeTimeout);
  }

  /** True once the pass-through reads and writes nothing more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  begin(shutdownSignal: AbortSignal): void {
    if (shutdownSignal.aborted) {
      this.finish('shutdown');
      return;
    }
    this.#deadlines.begin(this, this.#idleTimeout, shutdownSignal);
    this.#near.conversation.addDisconnectListener(this.#sending);
    this.#far.conversation.addDisconnectListener(this.#receiving);
    this.#sending.run();
    this.#receiving.run();
  }

  /** Restarts the idle time: an octet has arrived. */
  touch(): void {
    this.#deadlines.grant(this, this.#idleTimeout);
  }

  /** Called when a side has ended and the other side has all its octets. */
  directionEnded(): void {
    if (this.#sending.hasEnded && this.#receiving.hasEnded) {
      this.finish('ended');
      return;
    }
    // A server behind LOGOUT waits for a client that may never close.
    this.#idleTimeout = Math.min(this.#idleTimeout, this.#writeTimeout);
    this.touch();
  }

  /** Called when a side has broken. */
  broke(side: Side): void {
    this.finish(side === this.#near ? 'broken' : 'peer-broken');
  }

  override fail(reason: Error): void {
    if (reason instanceof TimedOut) this.finish('timeout');
    else if (reason instanceof Closing || reason instanceof Displaced) this.finish('shutdown');
    else this.finish('broken');
  }

  /** Closes both conversations. Each sends the octets that it has accepted. */
  finish(reason: PassThroughEnd['reason']): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadlines.end(this);
    this.#sending.stop();
    this.#receiving.stop();
    const end = { reason, sent: this.#sending.octets, received: this.#receiving.octets };
    const closed = Promise.all([this.#near.conversation.close(), this.#far.conversation.close()]);
    this.#resolve(closed.then(() => end));
  }
}

/** The octets from one side to the other. */
class Direction extends Waiter implements InputWaiter {
  octets = 0;
  /** True once `from` has ended its side and `to` has all its octets. */
  hasEnded = false;
  readonly #whole: PassThrough;
  readonly #from: Side;
  readonly #to: Side;
  readonly #deadlines: Deadlines;
  readonly #writeTimeout: number;
  /** True while `to` has not accepted the last chunk. */
  #isBlocked = false;

  constructor(whole: PassThrough, from: Side, to: Side, deadlines: Deadlines, writeTimeout: number) {
    super();
    this.#whole = whole;
    this.#from = from;
    this.#to = to;
    this.#deadlines = deadlines;
    this.#writeTimeout = writeTimeout;
  }

  /** Passes on the octets that have arrived, and waits for more. */
  run(): void {
    try {
      while (!this.#whole.isOver && this.#next());
    } catch (error) {
      if (!(error instanceof ConversationError)) throw error;
      this.#whole.broke(this.#to.output.broken === undefined ? this.#from : this.#to);
    }
  }

  resume(failure: Error | undefined): void {
    if (failure !== undefined) this.#whole.fail(failure);
    else this.run();
  }

  /** Ends the pass-through if `from` closes while no read would notice. */
  onDisconnect(): void {
    if (this.#isBlocked || this.hasEnded) this.#whole.broke(this.#from);
  }

  stop(): void {
    this.#deadlines.end(this);
  }

  /** Ends the pass-through: `to` reads nothing. */
  override fail(reason: Error): void {
    this.#whole.fail(reason);
  }

  /** Passes on one chunk. Returns false if the direction waits or has ended. */
  #next(): boolean {
    const { input } = this.#from;
    const { output, conversation } = this.#to;
    const writing = output.flush();
    if (writing !== undefined) return this.#waitForWrite(writing);
    if (input.quotaUsed) {
      input.yieldTurn(this);
      return false;
    }
    const chunk = input.takeChunk();
    if (chunk === undefined) {
      if (input.ended) {
        this.hasEnded = true;
        conversation.transport.end();
        this.#whole.directionEnded();
        return false;
      }
      if (input.fill()) return true;
      input.awaitChunk(this);
      return false;
    }
    this.octets += chunk.length;
    this.#whole.touch();
    output.write(chunk);
    if (output.writing === undefined) release(chunk);
    return true;
  }

  #waitForWrite(writing: Promise<void>): false {
    this.#isBlocked = true;
    this.#deadlines.begin(this, this.#writeTimeout);
    void writing.then(() => {
      this.#isBlocked = false;
      this.#deadlines.end(this);
      this.run();
    });
    return false;
  }
}

const IDLE_TIMEOUT_MS = 35 * 60_000;
const WRITE_TIMEOUT_MS = 300_000;
