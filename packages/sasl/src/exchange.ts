import { afterExactly, type Clock, orAborted } from '@postern/core';
import { type Ask, asLoginError, hasDisconnected, type LoginError, type Mind } from '@postern/cred';
import type { ChallengePacer } from './challenge-pacer.ts';
import { ExchangeError } from './errors.ts';

/**
 * The messages of one exchange: their delays, and the one record of what broke the exchange. A
 * broken exchange stays broken, and asks the client nothing more.
 */
export class Exchange {
  readonly #ask: Ask;
  readonly #mind: Mind;
  readonly #clock: Clock;
  readonly #minFailureDelay: number;
  /** The time of the client's last message by the clock, in milliseconds. */
  #lastMessageAt: number;
  /** Releases the next challenge, with the time of the client's message by its clock. */
  #paced: { readonly pacer: ChallengePacer; readonly arrival: number } | undefined;
  #broken: { readonly error: unknown } | undefined;

  /** A refusal leaves at least `minFailureDelay` milliseconds after the client's last message. */
  constructor(ask: Ask, mind: Mind, clock: Clock, minFailureDelay: number) {
    this.#ask = ask;
    this.#mind = mind;
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
    const paced = this.#paced;
    if (paced !== undefined) {
      this.#paced = undefined;
      await paced.pacer.next(paced.arrival);
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

  /** Delays the next challenge until the pacer's tick for a client's message of now. */
  pace(pacer: ChallengePacer): void {
    this.#paced = { pacer, arrival: pacer.now() };
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

  /** Rejects with the refusal, after the failure delay or the client's disconnect. */
  async refuse(refusal: LoginError): Promise<never> {
    const delay = this.#lastMessageAt + this.#minFailureDelay - this.#clock.now();
    if (delay > 0 && !hasDisconnected(this.#mind)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      // The time is exact: a rounded one would reveal how long the checker took.
      using _timer = afterExactly(this.#clock, delay, resolve);
      await orAborted(promise, this.#mind.signal);
    }
    throw refusal;
  }
}
