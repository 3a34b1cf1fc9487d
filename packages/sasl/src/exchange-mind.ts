import { type Ask, type Exchange, type MaybePromise, type Mind, TemporaryFailure } from '@postern/cred';

/** A client in an exchange: its mind, and the exchange for as long as its credentials are judged. */
export class ExchangeMind implements Mind {
  readonly #mind: Mind;
  readonly #mechanism: string;
  #ask: Ask | undefined;
  /** Resolves when what was asked last has been answered, or will not be. */
  #answered: Promise<void> | undefined;

  constructor(mind: Mind, mechanism: string, ask: Ask) {
    this.#mind = mind;
    this.#mechanism = mechanism;
    this.#ask = ask;
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

  get exchange(): Exchange | undefined {
    return this.#ask === undefined ? undefined : { mechanism: this.#mechanism, ask: this.#say };
  }

  get store(): Map<symbol, unknown> {
    return this.#mind.store;
  }

  get signal(): AbortSignal {
    return this.#mind.signal;
  }

  get left(): boolean | undefined {
    return this.#mind.left;
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
