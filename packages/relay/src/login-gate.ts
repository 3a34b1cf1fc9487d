import type { Clock } from '@postern/conversation';
import { AuthenticationFailure, type Responder } from '@postern/sasl/client';

/**
 * Lets one login test the credentials before other logins use them, and allows no login for some
 * time after a refusal: servers lock accounts after a number of failed logins.
 */
export class LoginGate {
  readonly #clock: Clock;
  readonly #delay: number;
  /** True after a login with these credentials has succeeded. */
  #proven = false;
  /** The login that tests the credentials. Never rejects. */
  #trial: Promise<unknown> | undefined;
  #refusal: { readonly error: AuthenticationFailure; readonly until: number } | undefined;

  /** Takes the clock, and the delay after a refusal in milliseconds. */
  constructor(clock: Clock, delay: number) {
    this.#clock = clock;
    this.#delay = delay;
  }

  /** Returns a responder whose exchanges pass this gate first. */
  guard(responder: Responder): Responder {
    const { mechanism, exposesSecret, strength, serverFirst } = responder;
    return {
      mechanism,
      exposesSecret,
      ...(strength !== undefined && { strength }),
      ...(serverFirst !== undefined && { serverFirst }),
      unavailable: (channel) => responder.unavailable?.(channel),
      channelBinding: (channel) => responder.channelBinding?.(channel),
      respond: (say, channel) => this.#pass(() => responder.respond(say, channel)),
    };
  }

  /** @throws AuthenticationFailure, the last one, during the delay after it. */
  check(): void {
    if (this.#refusal !== undefined && this.#clock.now() < this.#refusal.until) throw this.#refusal.error;
  }

  async #pass(exchange: () => Promise<void>): Promise<void> {
    // After a test without an outcome, such as a lost connection, the login proceeds.
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
