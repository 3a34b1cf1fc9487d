import { type Conversation, PeerGone, TimedOut } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import {
  type InstanceOf,
  type Interface,
  type Login,
  LoginError,
  type Mind,
  type Portal,
  TemporaryFailure,
} from '@postern/cred';
import { authenticate, type ChallengePacer, type Challenger, ExchangeError, UnheardRefusal } from '@postern/sasl';
import { Base64Framing, type FramingOptions } from './base64-framing.ts';
import type { LoginFailures } from './login-failures.ts';

/** One login of a client over a conversation. */
export interface LoginOverOptions<I extends readonly Interface<object>[]> extends FramingOptions {
  readonly conversation: Conversation;
  /** Its `loginTimeout` bounds the whole login, from the client's command to the outcome. */
  readonly portal: Portal;
  readonly mind: Mind;
  /** The mechanism of the client's choice: see `chooseChallenger`. */
  readonly challenger: Challenger;
  /** The avatars that the protocol works with. */
  readonly interfaces: I;
  /** The initial response in base64 as the client sent it, `=` included. Undefined: absent. */
  readonly initialResponse: string | undefined;
  /** The failed logins of this connection. */
  readonly failures: LoginFailures;
  /**
   * Delays the first challenges of live credentials: one object for all connections of a server.
   * Default: one for this login, as the policy of `failures` says.
   */
  readonly pacer?: ChallengePacer | undefined;
  /**
   * Receives each login that fails by the client's fault, with the user name if the exchange got
   * as far. `loginOver` calls it before any delay, and also for a client that has disconnected:
   * guesses of such a client count as well.
   */
  readonly onRefused?: (error: LoginError | ExchangeError, username: string | undefined) => void;
  /**
   * Returns true if the protocol closes the connection after this error. The error is then neither
   * counted nor delayed.
   */
  readonly closesConnection?: ((error: LoginError | ExchangeError) => boolean) | undefined;
}

/**
 * The outcome of a login that the client learns of: a login, or an error for the protocol's reply.
 */
export type LoginOutcome<A> =
  | { readonly login: Login<A> }
  | {
      readonly error: LoginError | ExchangeError;
      /**
       * True if the client has failed too often. The protocol closes the connection after its
       * reply.
       */
      readonly isTooMany: boolean;
      /**
       * True if a response had a bare CR or LF: the client and the server no longer agree on what a
       * line is. The protocol closes the connection after its reply.
       */
      readonly hasLostSync: boolean;
    };

/**
 * Runs a SASL exchange over a conversation and logs the client in. Returns the outcome once the
 * protocol may send its reply: refusals are delayed as the policy of `failures` demands. A login
 * that neither the client nor a checker delays is returned synchronously. Any other outcome is a
 * promise.
 *
 * The portal's `loginTimeout` bounds the login. If the client is silent at that time, the promise
 * rejects with TimedOut; if the server is, the outcome is a {@link TemporaryFailure}. An avatar
 * that comes later is logged out.
 *
 * @throws ConversationError as a rejection, if the client disconnects, is silent for too long, or
 * the server stops.
 *
 * @example
 * ```ts
 * import type { Conversation } from '@postern/conversation';
 * import type { Portal } from '@postern/cred';
 * import { plain } from '@postern/sasl';
 * import { ConversationMind, LoginFailures, loginOver } from '@postern/sasl-profile';
 *
 * class Mailbox {}
 *
 * export async function auth(conversation: Conversation, portal: Portal, failures: LoginFailures) {
 *   const outcome = await loginOver({
 *     conversation,
 *     portal,
 *     mind: new ConversationMind(conversation, 'pop3'),
 *     challenger: plain(),
 *     interfaces: [Mailbox],
 *     initialResponse: undefined,
 *     failures,
 *     prompt: (base64) => `+ ${base64}`,
 *     maxResponse: 12_288,
 *   });
 *   return 'login' in outcome ? '+OK' : '-ERR';
 * }
 * ```
 */
export function loginOver<const I extends readonly Interface<object>[]>(
  options: LoginOverOptions<I>,
): MaybePromise<LoginOutcome<InstanceOf<I[number]>>> {
  const { conversation } = options;
  const attempt = new LoginAttempt(options);
  // The conversation reads nothing while the portal judges, so a client that leaves shows as a
  // half-close only.
  conversation.treatHalfCloseAsDisconnect = true;
  const login = attempt.run();
  if (isPromise(login)) return outcomeOf(login, attempt, options);
  conversation.treatHalfCloseAsDisconnect = false;
  return { login };
}

/** Resolves with the outcome of a login that takes time, or fails. */
async function outcomeOf<A>(
  login: Promise<Login<A>>,
  attempt: LoginAttempt<readonly Interface<object>[]>,
  { conversation, closesConnection, failures, mind }: LoginOverOptions<readonly Interface<object>[]>,
): Promise<LoginOutcome<A>> {
  try {
    return { login: await login };
  } catch (failure) {
    attempt.report(failure);
    if (failure instanceof UnheardRefusal) throw failure.cause;
    if (!isLoginFailure(failure)) throw failure;
    if (conversation.disconnected) throw new PeerGone();
    const { hasLostSync } = attempt;
    const closes = hasLostSync || closesConnection?.(failure) === true;
    return { error: failure, isTooMany: !closes && (await failures.add(failure, mind)), hasLostSync };
  } finally {
    conversation.treatHalfCloseAsDisconnect = false;
  }
}

/** One call of `loginOver`: the exchange and its timeout. */
class LoginAttempt<I extends readonly Interface<object>[]> {
  readonly #options: LoginOverOptions<I>;
  readonly #framing: Base64Framing;
  #username: string | undefined;

  constructor(options: LoginOverOptions<I>) {
    this.#options = options;
    this.#framing = new Base64Framing(options.conversation, options);
  }

  /** True if a response had a bare CR or LF. A mechanism may hide that error behind its own. */
  get hasLostSync(): boolean {
    return this.#framing.hasLostSync;
  }

  /** Returns the login, as a promise if it takes time. A failure is always a rejected promise. */
  run(): MaybePromise<Login<InstanceOf<I[number]>>> {
    let login: MaybePromise<Login<InstanceOf<I[number]>>>;
    try {
      login = this.#authenticate(this.#framing.decodeInitialResponse(this.#options.initialResponse));
    } catch (error) {
      return Promise.reject(error);
    }
    return isPromise(login) ? this.#withinTimeout(login) : login;
  }

  /** Calls `onRefused` for a failure that is the client's fault. */
  report(failure: unknown): void {
    const error = failure instanceof UnheardRefusal ? failure.refusal : failure;
    if (isLoginFailure(error) && error.culprit === 'client') this.#options.onRefused?.(error, this.#username);
  }

  #authenticate(initialResponse: Uint8Array | undefined): MaybePromise<Login<InstanceOf<I[number]>>> {
    const { challenger, portal, mind, interfaces, failures, pacer } = this.#options;
    const { policy, clock } = failures;
    return authenticate({
      challenger,
      portal,
      mind,
      interfaces,
      initialResponse,
      ask: this.#framing.ask,
      onCredentials: ({ username }) => {
        this.#username = username;
      },
      minFailureDelay: policy.minFailureDelay,
      minChallengeDelay: policy.minChallengeDelay,
      pacer,
      clock,
    });
  }

  async #withinTimeout<A>(login: Promise<Login<A>>): Promise<Login<A>> {
    const { conversation, portal } = this.#options;
    try {
      return await conversation.within(portal.loginTimeout, login);
    } catch (error) {
      throw error instanceof TimedOut ? this.#abandon(login, error) : error;
    }
  }

  /**
   * Returns the error of a login that has taken too long. A login that succeeds later is logged
   * out, and a later refusal is reported.
   */
  #abandon(login: Promise<Login<unknown>>, timedOut: TimedOut): Error {
    this.#framing.close();
    login.then((late) => late.logout('timeout')).catch((failure: unknown) => this.report(failure));
    if (this.#framing.isWaiting) return timedOut;
    return new TemporaryFailure(`the login took more than ${this.#options.portal.loginTimeout} ms`);
  }
}

function isLoginFailure(error: unknown): error is LoginError | ExchangeError {
  return error instanceof LoginError || error instanceof ExchangeError;
}
