import { type Ask, DelegatingMind, type Exchange, type Mind, TemporaryFailure } from '@postern/cred';

/**
 * The mind of a client in an exchange. It has the exchange until `close`, while the credentials are
 * judged.
 */
export class ExchangeMind extends DelegatingMind {
  readonly #mechanism: string;
  #ask: Ask | undefined;
  /** Resolves when the last challenge of a checker has been answered, or never will be. */
  #answered: Promise<void> | undefined;

  constructor(mind: Mind, mechanism: string, ask: Ask) {
    super(mind);
    this.#mechanism = mechanism;
    this.#ask = ask;
  }

  /** Made on each access, because few checkers ask the client for more. */
  override get exchange(): Exchange | undefined {
    if (this.#ask === undefined) return undefined;
    return { mechanism: this.#mechanism, ask: (challenge) => this.#askClient(challenge) };
  }

  /**
   * Removes the exchange after the verdict, also from a checker that has kept it. Resolves when the
   * client has answered the checker's last challenge: the protocol must not take that answer for
   * something else. Returns undefined if no answer is due.
   */
  close(): Promise<void> | undefined {
    const answered = this.#answered;
    this.#ask = undefined;
    this.#answered = undefined;
    return answered;
  }

  async #askClient(challenge: Uint8Array): Promise<Uint8Array> {
    if (this.#ask === undefined) throw new TemporaryFailure('the exchange is over');
    const response = this.#ask(challenge);
    this.#answered = response.then(ignore, ignore);
    return await response;
  }
}

function ignore(): void {}
