import { type Clock, isPromise, type MaybePromise, systemClock, toPromise } from '@postern/core';
import type { Ask, Credentials, InstanceOf, Interface, Login, LoginError, Mind, Portal } from '@postern/cred';
import { ChallengePacer } from './challenge-pacer.ts';
import type { Challenger } from './challenger.ts';
import { MalformedResponse, UnheardRefusal } from './errors.ts';
import { Exchange } from './exchange.ts';
import { ExchangeMind } from './exchange-mind.ts';

/** The options of one login by SASL. */
export interface Authentication<I extends readonly Interface<object>[]> {
  /**
   * The mechanism that the client has chosen. `authenticate` does not check whether it was offered.
   */
  readonly challenger: Challenger;
  /** Routes the credentials to their checker, and returns the avatar. */
  readonly portal: Portal;
  /** The server's knowledge of the client. */
  readonly mind: Mind;
  /** The avatars that the protocol works with. */
  readonly interfaces: I;
  /** Undefined if the client sent no initial response, no bytes if it sent an empty one. */
  readonly initialResponse: Uint8Array | undefined;
  /** Sends a challenge in the framing of the protocol, and resolves with the client's response. */
  readonly ask: Ask;
  /** Receives the credentials before the portal judges them. Default: none does. */
  readonly onCredentials?: (credentials: Credentials) => void;
  /**
   * The earliest refusal, in milliseconds after the client's last message: its time does not
   * reveal what was wrong. Success is not delayed. Default: 250.
   */
  readonly minFailureDelay?: number;
  /**
   * The earliest first challenge of live credentials, such as SCRAM's, in milliseconds after the
   * client's message. The time of a shorter look-up then does not reveal which users exist.
   * Default: 10; 0 for no delay.
   */
  readonly minChallengeDelay?: number;
  /**
   * Delays the first challenges instead of `minChallengeDelay`: one object for all logins of a
   * server, which then share its timers. Default: one for this login.
   */
  readonly pacer?: ChallengePacer | undefined;
  /** Measures the delays. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Runs a SASL exchange and logs the client in: the one driver for all protocols. Returns the login:
 * synchronously if neither the client nor a checker has to be waited for, else as a promise. A
 * failure is always a rejected promise. It rejects with what broke the exchange even if a checker
 * or a challenger caught that error.
 *
 * @throws ExchangeError if the client cancels the exchange or sends a malformed response.
 * @throws LoginError if the client is refused.
 * @throws UnheardRefusal if the client is lost while it is refused. The error has the refusal.
 * @throws the error of `ask` if the client is lost earlier.
 *
 * @example
 * ```ts
 * import type { Mind, Portal } from '@postern/cred';
 * import { authenticate, encodeUtf8, plain } from '@postern/sasl';
 *
 * class Mailbox {}
 *
 * export async function logIn(portal: Portal, mind: Mind): Promise<string> {
 *   const login = await authenticate({
 *     challenger: plain(),
 *     portal,
 *     mind,
 *     interfaces: [Mailbox],
 *     initialResponse: undefined,
 *     ask: async () => encodeUtf8('\0ann\0secret'),
 *   });
 *   return String(login.avatarId);
 * }
 * ```
 */
export function authenticate<const I extends readonly Interface<object>[]>(
  authentication: Authentication<I>,
): MaybePromise<Login<InstanceOf<I[number]>>> {
  const { challenger, mind, initialResponse, minFailureDelay = 250, clock = systemClock } = authentication;
  if (challenger.serverFirst && initialResponse !== undefined) {
    const message = `in ${challenger.mechanism} the server speaks first`;
    return Promise.reject(new MalformedResponse(message, 'unexpected-initial-response'));
  }
  const exchange = new Exchange(authentication.ask, mind, clock, minFailureDelay);
  let credentials: MaybePromise<Credentials>;
  try {
    credentials = challenger.challenge(exchange.ask, initialResponse, mind);
  } catch (error) {
    return refuse(exchange, error);
  }
  if (!isPromise(credentials)) {
    try {
      return logIn(credentials, exchange, authentication);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  return toPromise(credentials).then(
    (arrived) => logIn(arrived, exchange, authentication),
    (error: unknown) => refuse(exchange, error),
  );
}

/** Rejects with the refusal of a client whose exchange has yielded no credentials. */
async function refuse(exchange: Exchange, error: unknown): Promise<never> {
  return await exchange.refuse(exchange.asRefusal(error));
}

/** Has the portal judge the credentials, and says their closing words. */
function logIn<I extends readonly Interface<object>[]>(
  credentials: Credentials,
  exchange: Exchange,
  authentication: Authentication<I>,
): MaybePromise<Login<InstanceOf<I[number]>>> {
  const { challenger, portal, mind, interfaces } = authentication;
  authentication.onCredentials?.(credentials);
  if (credentials.proofState === 'unasked') exchange.pace(pacerOf(authentication));
  const exchangeMind = new ExchangeMind(mind, challenger.mechanism, exchange.ask);
  const login = portal.login(credentials, exchangeMind, ...interfaces);
  if (!isPromise(login)) return accept(login, credentials, exchange, exchangeMind);
  return login.then(
    (granted) => accept(granted, credentials, exchange, exchangeMind),
    (error: unknown) => sayRefusal(error, credentials, exchange, exchangeMind),
  );
}

function pacerOf(authentication: Authentication<readonly Interface<object>[]>): ChallengePacer {
  const { pacer, minChallengeDelay = 10, clock = systemClock } = authentication;
  return pacer ?? new ChallengePacer(minChallengeDelay, clock);
}

/** Says the closing words of a login, and returns it. Logs out a login whose client is lost. */
function accept<A>(
  login: Login<A>,
  credentials: Credentials,
  exchange: Exchange,
  exchangeMind: ExchangeMind,
): MaybePromise<Login<A>> {
  let accepted: MaybePromise<void>;
  try {
    const answered = exchangeMind.close();
    accepted =
      answered === undefined
        ? sayAccepted(credentials, exchange)
        : answered.then(() => sayAccepted(credentials, exchange));
  } catch (error) {
    return revoke(login, exchange, error);
  }
  if (!isPromise(accepted)) return login;
  return accepted.then(
    () => login,
    (error: unknown) => revoke(login, exchange, error),
  );
}

/** A checker may have caught the error that broke the exchange, and recognised the client. */
function sayAccepted(credentials: Credentials, exchange: Exchange): MaybePromise<void> {
  exchange.throwIfBroken();
  const accepted = credentials.accepted();
  if (isPromise(accepted)) return toPromise(accepted).then(() => exchange.throwIfBroken());
  exchange.throwIfBroken();
}

/** Rejects with the error that ended the login, and not with an error of the logout. */
async function revoke(login: Login<unknown>, exchange: Exchange, error: unknown): Promise<never> {
  await Promise.resolve(login.logout('reset')).catch(() => {});
  throw exchange.asRefusal(error);
}

/** Says the closing words of a refusal, and rejects with it. */
async function sayRefusal(
  error: unknown,
  credentials: Credentials,
  exchange: Exchange,
  exchangeMind: ExchangeMind,
): Promise<never> {
  const answered = exchangeMind.close();
  if (answered !== undefined) await answered;
  exchange.throwIfBroken();
  return await exchange.refuse(await sayRefused(credentials, exchange, exchange.asRefusal(error)));
}

/**
 * Says the credentials' closing words on a refusal, and returns the refusal. An error of the
 * closing words takes its place, since the client may have cancelled the exchange.
 *
 * @throws UnheardRefusal if the client is lost before it has answered.
 */
async function sayRefused(credentials: Credentials, exchange: Exchange, refusal: LoginError): Promise<LoginError> {
  try {
    await credentials.refused(refusal);
    return refusal;
  } catch (error) {
    if (exchange.isLoss(error)) throw new UnheardRefusal(refusal, { cause: error });
    return exchange.asRefusal(error);
  }
}
