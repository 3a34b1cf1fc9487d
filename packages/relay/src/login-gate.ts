import type { Clock } from '@postern/conversation';
import { AuthenticationFailure, type Responder } from '@postern/sasl/client';

/**
 * Lets one login try out the credentials before others use them, and none for some time after the next
 * server has refused them: servers lock accounts after a number of refusals.
 */
export class LoginGate {
  readonly #clock: Clock;
  readonly #delay: number;
  /** True since a login with these credentials succeeded. */
  #proven = false;
  /** The login that tries the credentials out. Never rejects. */
  #trial: Promise<unknown> | undefined;
  #refusal: { readonly error: AuthenticationFailure; readonly until: number } | undefined;

  /** The delay is in milliseconds. */
  constructor(clock: Clock, delay: number) {
    this.#clock = clock;
    this.#delay = delay;
  }

  /** Returns the responder with the gate before each of its exchanges. */
  guard(responder: Responder): Responder {
    const { mechanism, exposesSecret, serverFirst } = responder;
    return {
      mechanism,
      exposesSecret,
      ...(serverFirst !== undefined && { serverFirst }),
      unavailable: (channel) => responder.unavailable?.(channel),
      channelBinding: (channel) => responder.channelBinding?.(channel),
      respond: (say, channel) => this.#pass(() => responder.respond(say, channel)),
    };
  }

  /** Throws the last refusal while the delay after it lasts. */
  check(): void {
    if (this.#refusal !== undefined && this.#clock.now() < this.#refusal.until) throw this.#refusal.error;
  }

  async #pass(exchange: () => Promise<void>): Promise<void> {
    // A trial that came to nothing, such as a lost connection, is no reason to wait for another one.
    if (!this.#proven && this.#trial !== undefined) await this.#trial;
    this.check();
    const login = this.#logIn(exchange);
    if (!this.#proven) this.#trial ??= login.catch(() => {}).then(() => this.#endTrial());
    await login;
  }

  #endTrial(): void {
    this.#trial = undefined;
  }

  async #logIn(exchange: () => Promise<void>): Promise<void> {
    try {
      await exchange();
      this.#proven = true;
    } catch (error) {
      if (error instanceof AuthenticationFailure) {
        this.#proven = false;
        this.#refusal = { error, until: this.#clock.now() + this.#delay };
      }
      throw error;
    }
  }
}
