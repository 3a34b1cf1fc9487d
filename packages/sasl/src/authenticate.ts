import { type Clock, systemClock } from '@postern/core';
import type { Ask, Credentials, InstanceOf, Interface, Login, LoginError, Mind, Portal } from '@postern/cred';
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
   * The interval in milliseconds at which the first challenge of live credentials, such as SCRAM's,
   * leaves. The time of a look-up then does not reveal which users exist. Default: 10; 0 for none.
   */
  readonly minChallengeDelay?: number;
  /** Measures the delays. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Runs a SASL exchange and logs the client in: the one driver for all protocols. Resolves with the
 * login. It rejects with what broke the exchange even if a checker or a challenger caught that
 * error.
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
  const exchange = new Exchange(authentication.ask, clock, minFailureDelay);

  let credentials: Credentials;
  try {
    credentials = await challenger.challenge(exchange.ask, initialResponse, mind);
  } catch (error) {
    return await exchange.refuse(exchange.asRefusal(error), mind);
  }
  authentication.onCredentials?.(credentials);

  let login: Login<InstanceOf<I[number]>>;
  const exchangeMind = new ExchangeMind(mind, challenger.mechanism, exchange.ask);
  const isLive = credentials.proofState === 'unasked' && minChallengeDelay > 0;
  using _pacer = isLive ? exchange.pace(minChallengeDelay, mind.signal) : undefined;
  try {
    login = await portal.login(credentials, exchangeMind, ...interfaces);
  } catch (error) {
    const closed = exchangeMind.close();
    if (closed !== undefined) await closed;
    exchange.throwIfBroken();
    const refusal = exchange.asRefusal(error);
    return await exchange.refuse(await sayRefused(credentials, exchange, refusal), mind);
  }
  try {
    const closed = exchangeMind.close();
    if (closed !== undefined) await closed;
    // A checker may have caught the error that broke the exchange, and recognised the client.
    exchange.throwIfBroken();
    const accepted = credentials.accepted();
    if (accepted !== undefined) await accepted;
    exchange.throwIfBroken();
  } catch (error) {
    // The outcome is the error that ended the login, and not an error of the logout.
    await Promise.resolve(login.logout('reset')).catch(() => {});
    throw exchange.asRefusal(error);
  }
  return login;
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
