import { randomBytes } from 'node:crypto';
import type { Clock } from '@postern/core';
import type { ScramExchange } from './scram-exchange.ts';

/**
 * The exchanges that wait for a second request, by their `sid` (RFC 7804 §5). A client can continue
 * an exchange once. At the limit the oldest exchange makes room: a refusal of new ones would let a
 * few clients lock all others out.
 */
export class ScramExchanges {
  readonly #clock: Clock;
  readonly #maxExchanges: number;
  readonly #timeout: number;
  readonly #waiting = new Map<string, WaitingExchange>();

  /** `timeout` is in milliseconds. */
  constructor(clock: Clock, maxExchanges: number, timeout: number) {
    this.#clock = clock;
    this.#maxExchanges = maxExchanges;
    this.#timeout = timeout;
  }

  /** Keeps an exchange for `timeout`, and returns its `sid`: 144 random bits. */
  add(exchange: ScramExchange<unknown>): string {
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= this.#maxExchanges && oldest !== undefined) this.#abandon(oldest);
    const sid = randomBytes(18).toString('base64url');
    this.#waiting.set(sid, { exchange, timer: this.#clock.after(this.#timeout, () => this.#abandon(sid)) });
    return sid;
  }

  /** Returns the exchange, and removes it. Returns undefined for an unknown or used `sid`. */
  take(sid: string): ScramExchange<unknown> | undefined {
    const waiting = this.#waiting.get(sid);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(sid);
    waiting.timer[Symbol.dispose]();
    return waiting.exchange;
  }

  /** Abandons all exchanges. */
  close(): void {
    for (const sid of this.#waiting.keys()) this.#abandon(sid);
  }

  #abandon(sid: string): void {
    this.take(sid)?.abandon();
  }
}

interface WaitingExchange {
  readonly exchange: ScramExchange<unknown>;
  readonly timer: Disposable;
}
