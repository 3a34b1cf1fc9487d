import { type Clock, type Indexed, isPromise, type MaybePromise } from '@postern/core';
import { DelegatingMind } from './delegating-mind.ts';
import { TemporaryFailure } from './errors.ts';
import type { LogoutReason } from './login.ts';
import type { Mind } from './mind.ts';

/**
 * Work for a client that has an end: the client's mind, with a signal that aborts as well when the work has taken too long.
 * After the work the signal still tells when the connection is gone, to avatars that have kept the mind.
 */
export class LoginAttempt extends DelegatingMind implements Indexed {
  index = -1;
  /** Resolves when its work has come to its end, which is later than nobody waiting for it any more. */
  ended: Promise<void> = OVER;
  readonly #mind: Mind;
  readonly #clock: Clock;
  readonly #milliseconds: number;
  readonly #work: string;
  /** Undefined, as is the other, when it is of no use any more: an avatar may keep this mind for hours. */
  #timer: Disposable | undefined;
  #fail: ((reason: TemporaryFailure) => void) | undefined;
  #controller: AbortController | undefined;
  /** True while it hears of the connection's end. */
  #listens = false;
  #done = false;
  #stopped: { readonly why: LogoutReason; readonly reason: TemporaryFailure } | undefined;

  /** `work` names the work in the error of a timeout: `the login`. */
  constructor(mind: Mind, clock: Clock, milliseconds: number, work: string) {
    super(mind);
    this.#mind = mind;
    this.#clock = clock;
    this.#milliseconds = milliseconds;
    this.#work = work;
    if (this.disconnected) this.#onLeft();
  }

  override get signal(): AbortSignal {
    // Made when somebody asks for it, as few do. After the work there is nothing to add to the connection's own.
    if (this.#controller === undefined && this.#done) return this.#mind.signal;
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stopped !== undefined) this.#controller.abort(this.#stopped.reason);
      else this.#listen();
    }
    return this.#controller.signal;
  }

  /** True if somebody has asked for the signal during the work: then it listens to the connection until `end` is called. */
  get hasSignal(): boolean {
    return this.#controller !== undefined;
  }

  /** The work is as good as done: whoever asks for the signal from here on, and is the first to, gets the connection's own. */
  settle(): void {
    this.#done = true;
  }

  /** Why nobody waits for the work any more; undefined as long as somebody does. */
  get over(): LogoutReason | undefined {
    return this.#stopped?.why ?? (this.disconnected ? 'disconnected' : undefined);
  }

  /**
   * What the work comes to, unless it is stopped before: then a TemporaryFailure. Not begun if the client has left already. Timer and
   * signal are for work that does not come to its end at once.
   */
  run<T>(work: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#stopped !== undefined) throw this.#stopped.reason;
    try {
      const result = work();
      if (isPromise(result)) return this.#wait(result);
      this.#finish();
      return result;
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** Ends the wait; what the work still comes to is of no interest to who runs it. */
  stop(why: LogoutReason, reason: TemporaryFailure): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { why, reason };
    const fail = this.#fail;
    // Not before its turn: work that has come to its end this very moment would be lost, and a login that nobody has stay open.
    if (fail !== undefined) queueMicrotask(() => fail(reason));
    this.end();
    this.#controller?.abort(reason);
  }

  /** Listens to the connection no longer. For who ran the work: when its result is of no use any more. */
  end(): void {
    this.#endWait();
    if (!this.#listens) return;
    this.#listens = false;
    this.#mind.signal.removeEventListener('abort', this);
  }

  /** @internal The connection is gone. */
  handleEvent(): void {
    this.#onLeft();
  }

  async #wait<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await new Promise<T>((resolve, reject) => {
        work.then(resolve, reject);
        // The client may have left while the work began.
        if (this.disconnected) this.#onLeft();
        if (this.#stopped !== undefined) return reject(this.#stopped.reason);
        this.#fail = reject;
        this.#timer = this.#clock.after(this.#milliseconds, () => this.#onLate(), true);
        this.#listen();
      });
      this.#finish();
      return result;
    } catch (error) {
      this.end();
      throw error;
    }
  }

  #finish(): void {
    this.#done = true;
    if (this.#controller === undefined) this.end();
    else this.#endWait();
  }

  #listen(): void {
    if (this.#listens || this.#stopped !== undefined) return;
    this.#listens = true;
    this.#mind.signal.addEventListener('abort', this);
  }

  #endWait(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#fail = undefined;
  }

  #onLate(): void {
    this.stop('timeout', new TemporaryFailure(`${this.#work} took more than ${this.#milliseconds} ms`));
  }

  #onLeft(): void {
    this.stop('disconnected', new TemporaryFailure('the client left', { cause: this.#mind.signal.reason }));
  }
}

/** Throws a RangeError if work cannot have this deadline, in milliseconds. */
export function checkDeadline(deadline: number): void {
  if (!(deadline > 0 && deadline <= LONGEST_TIMER)) throw new RangeError(`no deadline: ${deadline} milliseconds`);
}

const OVER = Promise.resolve();

/** What setTimeout can wait for; anything longer it does at once. */
const LONGEST_TIMER = 2 ** 31 - 1;
