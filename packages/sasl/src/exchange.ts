import { afterExactly, type Clock, orAborted } from '@postern/core';
import { type Ask, asLoginError, type LoginError, type Mind } from '@postern/cred';
import { ChallengePacer } from './challenge-pacer.ts';
import { ExchangeError } from './errors.ts';

/**
 * The messages of one exchange: their delays, and the one record of what broke the exchange. A
 * broken exchange stays broken, and asks the client nothing more.
 */
export class Exchange {
  readonly #ask: Ask;
  readonly #clock: Clock;
  readonly #minFailureDelay: number;
  /** The time of the client's last message by the clock, in milliseconds. */
  #lastMessageAt: number;
  #pacer: { readonly pacer: ChallengePacer; readonly signal: AbortSignal } | undefined;
  #broken: { readonly error: unknown } | undefined;

  /** A refusal leaves at least `minFailureDelay` milliseconds after the client's last message. */
  constructor(ask: Ask, clock: Clock, minFailureDelay: number) {
    this.#ask = ask;
    this.#clock = clock;
    this.#minFailureDelay = minFailureDelay;
    this.#lastMessageAt = clock.now();
  }

  /**
   * Sends a challenge and resolves with the response. Rejects with the first error that `ask`
   * rejected with.
   */
  readonly ask: Ask = async (challenge) => {
    this.throwIfBroken();
    const paced = this.#pacer;
    if (paced !== undefined) {
      this.#pacer = undefined;
      await paced.pacer.next(paced.signal);
    }
    try {
      const response = await this.#ask(challenge);
      this.#lastMessageAt = this.#clock.now();
      return response;
    } catch (error) {
      this.#broken = { error };
      throw error;
    }
  };

  /** Delays the next challenge until a whole multiple of `interval` milliseconds from now. */
  pace(interval: number, signal: AbortSignal): Disposable {
    const pacer = new ChallengePacer(this.#clock, interval);
    this.#pacer = { pacer, signal };
    return pacer;
  }

  /** Throws the error that broke the exchange, if one did. */
  throwIfBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  /** Returns true for the error that broke the exchange, unless it is a message of the client. */
  isLoss(error: unknown): boolean {
    return this.#broken !== undefined && error === this.#broken.error && !(error instanceof ExchangeError);
  }

  /**
   * Returns the refusal that an error amounts to. Throws the error itself if it broke the exchange.
   */
  asRefusal(error: unknown): LoginError {
    if (error instanceof ExchangeError || (this.#broken !== undefined && error === this.#broken.error)) throw error;
    return asLoginError(error);
  }

  /** Throws the refusal, after the failure delay or the client's disconnect. */
  async refuse(refusal: LoginError, { signal }: Mind): Promise<never> {
    const delay = this.#lastMessageAt + this.#minFailureDelay - this.#clock.now();
    if (delay > 0 && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // The time is exact: a rounded one would reveal how long the checker took.
      using _timer = afterExactly(this.#clock, delay, resolve);
      await orAborted(promise, signal);
    }
    throw refusal;
  }
}
