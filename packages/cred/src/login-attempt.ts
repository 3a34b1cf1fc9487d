import {
  type Clock,
  type Disconnection,
  type DisconnectListener,
  type Indexed,
  isPromise,
  type MaybePromise,
} from '@postern/core';
import { disconnectionOf } from './disconnection.ts';
import { TemporaryFailure } from './errors.ts';
import type { LogoutReason } from './login.ts';
import { DelegatingMind, type Mind } from './mind.ts';

/**
 * Work for a client with a timeout. It is the client's mind, with a signal that also aborts at the
 * timeout. After the work the signal still reports the client's disconnect to avatars that kept the
 * mind.
 */
export class LoginAttempt extends DelegatingMind implements Disconnection, DisconnectListener, Indexed {
  index = -1;
  /** Resolves when the work has ended, also if nothing waits for its result any more. */
  workEnded: Promise<void> = ENDED;
  readonly #mind: Mind;
  readonly #clock: Clock;
  readonly #milliseconds: number;
  readonly #work: string;
  /**
   * The timer and the callback of the wait. Cleared early: an avatar may keep this mind for hours.
   */
  #timer: Disposable | undefined;
  #fail: ((error: TemporaryFailure) => void) | undefined;
  #controller: AbortController | undefined;
  #isListening = false;
  #disconnection: Disconnection | undefined;
  readonly #listeners: DisconnectListener[] = [];
  #isDone = false;
  #stop: { readonly reason: LogoutReason; readonly error: TemporaryFailure } | undefined;

  /** `work` names the work in the error of a timeout: `the login`. */
  constructor(mind: Mind, clock: Clock, milliseconds: number, work: string) {
    super(mind);
    this.#mind = mind;
    this.#clock = clock;
    this.#milliseconds = milliseconds;
    this.#work = work;
    if (this.disconnected) this.onDisconnect();
  }

  /** True also after the timeout, or after `stop`. */
  override get disconnected(): boolean {
    return this.#stop !== undefined || super.disconnected;
  }

  /** The attempt itself: it also ends at its timeout. After the work, that of the connection. */
  override get disconnection(): Disconnection | undefined {
    return this.#isDone ? this.#mind.disconnection : this;
  }

  addDisconnectListener(listener: DisconnectListener): void {
    if (this.#stop === undefined) {
      this.#listeners.push(listener);
      this.#listen();
    } else listener.onDisconnect();
  }

  removeDisconnectListener(listener: DisconnectListener): void {
    const index = this.#listeners.indexOf(listener);
    if (index !== -1) this.#listeners.splice(index, 1);
  }

  /** Created on first access, because few checkers need it. */
  override get signal(): AbortSignal {
    // After the work only the connection can end, so its own signal says all.
    if (this.#controller === undefined && this.#isDone) return this.#mind.signal;
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stop !== undefined) this.#controller.abort(this.#stop.error);
      else this.#listen();
    }
    return this.#controller.signal;
  }

  /**
   * True if something listens that began during the work, by the signal or as a listener. Then call
   * `release` when the login has ended.
   */
  get isFollowed(): boolean {
    return this.#controller !== undefined || this.#listeners.length > 0;
  }

  /**
   * Marks the work as done. From now on a first access to `signal` returns the connection's own.
   */
  finish(): void {
    this.#isDone = true;
  }

  /** The reason why the result of the work is not needed any more; undefined while it is. */
  get stopReason(): LogoutReason | undefined {
    return this.#stop?.reason ?? (this.disconnected ? 'disconnected' : undefined);
  }

  /**
   * Returns the result of the work, or throws a TemporaryFailure at a timeout, a disconnect or
   * `stop`. Does not start the work for a client that has disconnected. Synchronous work costs
   * neither a timer nor a listener.
   */
  run<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#stop !== undefined) throw this.#stop.error;
    try {
      const result = work();
      if (isPromise(result)) return this.#wait(result);
      this.#onResult();
      return result;
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** Ends the wait with this error. The work itself continues, and its result is dropped. */
  stop(reason: LogoutReason, error: TemporaryFailure): void {
    if (this.#stop !== undefined) return;
    this.#stop = { reason, error };
    const fail = this.#fail;
    // In a microtask: a result that has just come would be lost, and its login would stay open.
    if (fail !== undefined) queueMicrotask(() => fail(error));
    this.release();
    this.#controller?.abort(error);
    for (const listener of this.#listeners.splice(0)) listener.onDisconnect();
  }

  /** Releases the timer and the listener. The runner calls it when it needs the result no more. */
  release(): void {
    this.#endWait();
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#disconnection?.removeDisconnectListener(this);
  }

  /** @internal */
  onDisconnect(): void {
    const { reason } = this.#mind.signal;
    this.stop('disconnected', new TemporaryFailure('the client disconnected', { cause: reason }));
  }

  async #wait<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await new Promise<T>((resolve, reject) => {
        work.then(resolve, reject);
        // The client may have disconnected while the work started.
        if (this.disconnected) this.onDisconnect();
        if (this.#stop !== undefined) return reject(this.#stop.error);
        this.#fail = reject;
        this.#timer = this.#clock.after(this.#milliseconds, () => this.#onTimeout(), true);
        this.#listen();
      });
      this.#onResult();
      return result;
    } catch (error) {
      this.release();
      throw error;
    }
  }

  #onResult(): void {
    this.#isDone = true;
    if (this.isFollowed) this.#endWait();
    else this.release();
  }

  #listen(): void {
    if (this.#isListening || this.#stop !== undefined) return;
    this.#isListening = true;
    this.#disconnection = disconnectionOf(this.#mind);
    this.#disconnection.addDisconnectListener(this);
  }

  #endWait(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#fail = undefined;
  }

  #onTimeout(): void {
    const message = `${this.#work} took more than ${this.#milliseconds} ms`;
    this.stop('timeout', new TemporaryFailure(message));
  }
}

/** @throws RangeError if the timeout is not a positive number of milliseconds below 2^31. */
export function checkDeadline(name: string, milliseconds: number): void {
  if (!(milliseconds > 0 && milliseconds <= MAX_TIMER_MS)) {
    throw new RangeError(`${name}: expected more than 0 and at most ${MAX_TIMER_MS} ms, not ${milliseconds}`);
  }
}

const ENDED = Promise.resolve();

/** The longest timer of Node. A longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
