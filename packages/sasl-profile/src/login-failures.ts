import { type Clock, orAborted, systemClock } from '@postern/core';
import { LoginDenied, type Mind, UnauthorizedLogin } from '@postern/cred';

/**
 * The limits and delays against guessing on one connection (RFC 4954 §9). Times are milliseconds.
 */
export interface FailurePolicy {
  /** The failed logins that the server answers without delay. */
  readonly undelayedLoginFailures: number;
  /** The delay of the answer to each later failed login. */
  readonly loginFailureDelay: number;
  /** The failed logins after which the server closes the connection. */
  readonly maxLoginFailures: number;
  /** The earliest answer to a refusal, counted from the client's last message. */
  readonly minFailureDelay: number;
  /**
   * The earliest first challenge of live credentials, counted from the client's message: at most
   * half of this time later; 0 for no delay.
   */
  readonly minChallengeDelay: number;
}

/** The count of failed logins on one connection, and the delay that follows from it. */
export class LoginFailures {
  readonly policy: FailurePolicy;
  /** Measures the delays of the policy. */
  readonly clock: Clock;
  #count = 0;

  constructor(policy: FailurePolicy, clock: Clock = systemClock) {
    this.policy = policy;
    this.clock = clock;
  }

  /**
   * Counts a failed login, and resolves after the delay that the policy demands, or when the client
   * disconnects. Resolves with true if the server must close the connection. Only wrong credentials
   * and denials count: a temporary failure or a cancelled exchange is no guess.
   */
  async add(error: Error, mind: Mind): Promise<boolean> {
    if (!(error instanceof UnauthorizedLogin || error instanceof LoginDenied)) return false;
    this.#count++;
    if (this.#count >= this.policy.maxLoginFailures) return true;
    if (this.#count > this.policy.undelayedLoginFailures) await this.#delay(mind);
    return false;
  }

  async #delay({ signal }: Mind): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = this.clock.after(this.policy.loginFailureDelay, resolve);
    await orAborted(promise, signal);
  }
}
