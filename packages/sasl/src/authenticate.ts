import { type Clock, systemClock } from '@postern/core';
import {
  type Ask,
  asLoginError,
  type Credentials,
  type InstanceOf,
  type Interface,
  type Login,
  type LoginError,
  type Mind,
  type Portal,
} from '@postern/cred';
import { ChallengePacer } from './challenge-pacer.ts';
import type { Challenger } from './challenger.ts';
import { ExchangeError, MalformedResponse, UnheardRefusal } from './errors.ts';
import { ExchangeMind } from './exchange-mind.ts';
import { FailureDelay } from './failure-delay.ts';

/** One login by SASL. */
export interface Authentication<I extends readonly Interface<object>[]> {
  /** The mechanism that the client has chosen, if it was offered: that is not looked at again. */
  readonly challenger: Challenger;
  /** Where the credentials are judged. */
  readonly portal: Portal;
  /** What is known of the client. */
  readonly mind: Mind;
  /** The avatars that the protocol can work with. */
  readonly interfaces: I;
  /** Undefined if the client sent none, no bytes if it sent an empty one. */
  readonly initialResponse: Uint8Array | undefined;
  /** The protocol's framing of challenges and responses. */
  readonly ask: Ask;
  /** Hears the credentials before the portal judges them. Default: nobody. */
  readonly onCredentials?: (credentials: Credentials) => void;
  /**
   * A refusal is given no sooner than so many milliseconds after the client's last word, so that its time tells nothing of what
   * was wrong. Success is not delayed. Default: 250.
   */
  readonly minFailureDelay?: number;
  /**
   * The first challenge of live credentials, such as SCRAM's, leaves at a whole multiple of this many
   * milliseconds after the client's message, so that the time of a look-up does not tell which users
   * exist. Default: 10; 0 for none.
   */
  readonly minChallengeDelay?: number;
  /** What the delays go by. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Leads an exchange to its end and logs the client in: the one driver, whatever the protocol. Resolves to the login. Rejects with
 * an ExchangeError if the exchange broke, with a LoginError if it came to a refusal, or with whatever `ask` rejected with:
 * an error of the exchange stays the outcome, whatever a checker that met it in between threw instead. So does a refusal, whatever
 * but an ExchangeError keeps its closing words from being said.
 */
export async function authenticate<const I extends readonly Interface<object>[]>(
  authentication: Authentication<I>,
): Promise<Login<InstanceOf<I[number]>>> {
  const {
    challenger,
    portal,
    mind,
    interfaces,
    initialResponse,
    minFailureDelay = 250,
    minChallengeDelay = 10,
    clock = systemClock,
  } = authentication;
  if (challenger.serverFirst && initialResponse !== undefined) {
    throw new MalformedResponse(`in ${challenger.mechanism} the server speaks first`, 'unexpected-initial-response');
  }
  using exchange = new Exchange(authentication.ask, clock, minFailureDelay);

  let credentials: Credentials;
  try {
    credentials = await challenger.challenge(exchange.ask, initialResponse, mind);
  } catch (error) {
    return await exchange.refuse(exchange.refusal(error), mind);
  }
  authentication.onCredentials?.(credentials);
  let login: Login<InstanceOf<I[number]>>;
  const inExchange = new ExchangeMind(mind, challenger.mechanism, exchange.ask);
  const isLive = credentials.proofState === 'unasked' && minChallengeDelay > 0;
  using _release = isLive ? exchange.pace(minChallengeDelay, mind.signal) : undefined;
  try {
    login = await portal.login(credentials, inExchange, ...interfaces);
  } catch (error) {
    const closed = inExchange.close();
    if (closed !== undefined) await closed;
    exchange.rethrow();
    const refusal = exchange.refusal(error);
    return await exchange.refuse(await sayRefused(credentials, exchange, refusal), mind);
  }
  try {
    const closed = inExchange.close();
    if (closed !== undefined) await closed;
    // A checker may have swallowed what broke the exchange, and recognised the client all the same.
    exchange.rethrow();
    const said = credentials.accepted();
    if (said !== undefined) await said;
    exchange.rethrow();
  } catch (error) {
    // The outcome is the error that ended the login, and not an error of the logout.
    await Promise.resolve(login.logout('reset')).catch(() => {});
    throw exchange.refusal(error);
  }
  return login;
}

/**
 * Says the credentials' closing words on a refusal, and returns the refusal. Closing words that fail
 * take its place, since the client may have cancelled the exchange.
 *
 * @throws UnheardRefusal if the client is lost before it has answered.
 */
async function sayRefused(credentials: Credentials, exchange: Exchange, refusal: LoginError): Promise<LoginError> {
  try {
    await credentials.refused(refusal);
    return refusal;
  } catch (error) {
    if (exchange.lost(error)) throw new UnheardRefusal(refusal, { cause: error });
    return exchange.refusal(error);
  }
}

/** What the driver knows of an exchange: when the client spoke last, and what it broke it with. */
class Exchange implements Disposable {
  readonly #ask: Ask;
  readonly #clock: Clock;
  readonly #minFailureDelay: number;
  #floor: FailureDelay | undefined;
  #release: (() => Promise<void>) | undefined;
  #broken: { readonly error: unknown } | undefined;

  /** A refusal leaves no sooner than `minFailureDelay` milliseconds after the client's last message. */
  constructor(ask: Ask, clock: Clock, minFailureDelay: number) {
    this.#ask = ask;
    this.#clock = clock;
    this.#minFailureDelay = minFailureDelay;
    this.#heard();
  }

  [Symbol.dispose](): void {
    this.#floor?.[Symbol.dispose]();
  }

  /** Has the next challenge leave at whole multiples of the interval after now. */
  pace(interval: number, signal: AbortSignal): Disposable {
    const release = new ChallengePacer(this.#clock, interval);
    this.#release = () => release.next(signal);
    return release;
  }

  readonly ask: Ask = async (challenge) => {
    this.rethrow();
    const release = this.#release;
    if (release !== undefined) {
      this.#release = undefined;
      await release();
    }
    try {
      const response = await this.#ask(challenge);
      this.#heard();
      return response;
    } catch (error) {
      this.#broken = { error };
      throw error;
    }
  };

  /** Throws what broke the exchange, if anything did, whatever somebody made of it in between. */
  rethrow(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  /** True if the error is how the client was lost: what broke the exchange, and nothing that the client said in it. */
  lost(error: unknown): boolean {
    return this.#broken !== undefined && error === this.#broken.error && !(error instanceof ExchangeError);
  }

  /** The refusal that an error comes to. Throws the error itself if it is what broke the exchange. */
  refusal(error: unknown): LoginError {
    if (error instanceof ExchangeError || (this.#broken !== undefined && error === this.#broken.error)) throw error;
    return asLoginError(error);
  }

  /** Throws the refusal once the floor has passed, or the client is gone. */
  async refuse(refusal: LoginError, { signal }: Mind): Promise<never> {
    await this.#floor?.passed(signal);
    throw refusal;
  }

  #heard(): void {
    if (this.#minFailureDelay <= 0) return;
    this.#floor?.[Symbol.dispose]();
    this.#floor = new FailureDelay(this.#clock, this.#minFailureDelay);
  }
}
