import { type Ask, DelegatingMind, type Exchange, type MaybePromise, type Mind, TemporaryFailure } from '@postern/cred';

/** A client in an exchange: its mind, and the exchange for as long as its credentials are judged. */
export class ExchangeMind extends DelegatingMind {
  readonly #mechanism: string;
  #ask: Ask | undefined;
  /** Resolves when what was asked last has been answered, or will not be. */
  #answered: Promise<void> | undefined;

  constructor(mind: Mind, mechanism: string, ask: Ask) {
    super(mind);
    this.#mechanism = mechanism;
    this.#ask = ask;
  }

  override get exchange(): Exchange | undefined {
    return this.#ask === undefined ? undefined : { mechanism: this.#mechanism, ask: this.#say };
  }

  /**
   * The verdict is there: nothing more is asked, and who keeps the mind does not keep the exchange. To be waited for if a checker has
   * left a question open: its answer must not be taken for something else.
   */
  close(): MaybePromise<void> {
    const answered = this.#answered;
    this.#ask = undefined;
    this.#answered = undefined;
    return answered;
  }

  readonly #say: Ask = async (challenge) => {
    if (this.#ask === undefined) throw new TemporaryFailure('the exchange is over');
    const response = this.#ask(challenge);
    this.#answered = response.then(ignore, ignore);
    return await response;
  };
}

function ignore(): void {}
