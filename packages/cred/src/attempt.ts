import type { Clock } from './clock.ts';
import { TemporaryFailure } from './errors.ts';
import type { LogoutReason } from './login.ts';
import type { Mind } from './mind.ts';

/**
 * Work done for a client, that has an end: the client's mind, whose signal aborts as well when the work has taken too long.
 * Afterwards the signal still tells when the connection is gone, for avatars that have kept the mind.
 */
export class Attempt implements Mind {
  readonly #mind: Mind;
  readonly #timer: Disposable;
  readonly #failed = Promise.withResolvers<never>();
  #controller: AbortController | undefined;
  #signal: AbortSignal | undefined;
  #stopped: { readonly why: LogoutReason; readonly reason: TemporaryFailure } | undefined;

  /** `late` is what the work fails with after so many milliseconds. */
  constructor(mind: Mind, clock: Clock, milliseconds: number, late: string) {
    this.#mind = mind;
    this.#timer = clock.after(milliseconds, () => this.stop('timeout', new TemporaryFailure(late)));
    mind.signal.addEventListener('abort', this.#left);
    if (mind.signal.aborted) this.#left();
  }

  get protocol(): string {
    return this.#mind.protocol;
  }

  get remote(): Mind['remote'] {
    return this.#mind.remote;
  }

  get local(): Mind['local'] {
    return this.#mind.local;
  }

  get tls(): Mind['tls'] {
    return this.#mind.tls;
  }

  get clientName(): string | undefined {
    return this.#mind.clientName;
  }

  get store(): Map<symbol, unknown> {
    return this.#mind.store;
  }

  /** Made when somebody asks for it, as most checkers never do. */
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#controller = new AbortController();
      this.#signal = AbortSignal.any([this.#mind.signal, this.#controller.signal]);
      if (this.#stopped !== undefined) this.#controller.abort(this.#stopped.reason);
    }
    return this.#signal;
  }

  /** Why nobody waits for the work any more; undefined as long as somebody does. */
  get over(): LogoutReason | undefined {
    return this.#stopped?.why;
  }

  /** What the work comes to, unless it is stopped before: then a TemporaryFailure. Not begun if the client has left already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      const stopped = this.#failed.promise;
      return await (this.#stopped === undefined ? Promise.race([stopped, work()]) : stopped);
    } finally {
      this.#rest();
    }
  }

  /** Ends the wait; what the work still comes to is of no interest to who runs it. */
  stop(why: LogoutReason, reason: TemporaryFailure): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { why, reason };
    this.#rest();
    this.#failed.reject(reason);
    this.#controller?.abort(reason);
  }

  #rest(): void {
    this.#timer[Symbol.dispose]();
    this.#mind.signal.removeEventListener('abort', this.#left);
  }

  readonly #left = (): void => {
    this.stop('disconnected', new TemporaryFailure('the client left', { cause: this.#mind.signal.reason }));
  };
}
