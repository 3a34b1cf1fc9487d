import { type Conversation, ConversationError, TimedOut } from '@postern/conversation';
import { type Clock, isPromise, type MaybePromise } from '@postern/core';
import {
  Identity,
  type Login,
  LoginError,
  type Mind,
  type Portal,
  TemporaryFailure,
  UnauthorizedLogin,
} from '@postern/cred';
import { authenticate, ExchangeError, plain, usernamePassword } from '@postern/sasl';
import {
  ConversationMind,
  type EventReporter,
  LoginFailures,
  loginRefusalOf,
  reportError,
} from '@postern/sasl-profile';
import { ProtocolError } from '../lookups/protocol-error.ts';
import type { SaslauthdEvent } from './events.ts';
import type { SaslauthdLimits } from './limits.ts';
import { parseRequest, type SaslauthdRequest } from './request.ts';
import { SaslauthdMind } from './saslauthd-mind.ts';

/** The options of a server with all defaults, for each of its connections. */
export interface SaslauthdSettings {
  readonly portal: Portal;
  readonly limits: SaslauthdLimits;
  readonly events: EventReporter<SaslauthdEvent>;
  readonly logUsernames: boolean;
  readonly clock: Clock;
}

/** Reads the one request of a connection, answers it, and closes. */
export class SaslauthdServer {
  readonly #conversation: Conversation;
  readonly #settings: SaslauthdSettings;
  readonly #mind: ConversationMind;

  constructor(conversation: Conversation, settings: SaslauthdSettings) {
    this.#conversation = conversation;
    this.#settings = settings;
    this.#mind = new ConversationMind(conversation, 'saslauthd');
    conversation.readTimeout = settings.limits.requestTimeout;
    conversation.expireIn(settings.limits.requestTimeout);
  }

  /** Serves the connection until it closes. Never rejects. */
  async run(): Promise<void> {
    try {
      const request = await this.#hearRequest();
      if (request !== undefined) await this.#answer(request);
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.#settings.events.report({ mind: this.#mind, kind: 'protocol-error', problem: error.message });
      } else if (!(error instanceof ConversationError)) this.#reportError(error);
    }
    await this.#conversation.close();
  }

  /** Resolves with undefined if the client ends its side before a whole request. */
  async #hearRequest(): Promise<SaslauthdRequest | undefined> {
    const { maxRequest } = this.#settings.limits;
    let octets: Buffer = Buffer.alloc(0);
    for (;;) {
      // The client sends its request at once, so a server that shuts down still waits for it.
      const piece = await this.#conversation.hearOctets(false);
      if (piece === undefined) return undefined;
      if (octets.length + piece.length > maxRequest) {
        throw new ProtocolError(`a request of more than ${maxRequest} octets`);
      }
      octets = Buffer.concat([octets, piece]);
      const request = parseRequest(octets);
      if (request !== undefined) return request;
    }
  }

  async #answer(request: SaslauthdRequest): Promise<void> {
    const mind = new SaslauthdMind(this.#mind, request);
    const { portal, limits, events, clock } = this.#settings;
    const { service } = request;
    try {
      // A back end must not see them: LDAP takes an empty password for an anonymous login.
      if (request.username.length === 0 || request.password.length === 0) throw new UnauthorizedLogin();
      const login = await this.#inTime(
        authenticate({
          challenger: { ...plain(), challenge: () => usernamePassword(request.username, request.password) },
          portal,
          mind,
          interfaces: [Identity],
          initialResponse: undefined,
          ask: () => Promise.reject(new UnauthorizedLogin('saslauthd has no challenges')),
          minFailureDelay: limits.minFailureDelay,
          clock,
        }),
      );
      events.report({ mind, kind: 'authenticated', mechanism: 'PLAIN', avatarId: login.avatarId, service });
      await Promise.resolve(login.logout()).catch((error: unknown) => this.#reportError(error));
      this.#say('OK');
    } catch (error) {
      if (!(error instanceof LoginError || error instanceof ExchangeError)) throw error;
      await this.#refuse(error, request, mind);
    }
  }

  /**
   * Limits the time of a login. The login of a back end that answers later ends at once.
   *
   * @throws TemporaryFailure as a rejection, which names the limit
   */
  async #inTime<T extends Login<unknown>>(login: MaybePromise<T>): Promise<T> {
    if (!isPromise(login)) return login;
    const { requestTimeout } = this.#settings.limits;
    try {
      return await this.#conversation.within(requestTimeout, login);
    } catch (error) {
      if (!(error instanceof TimedOut)) throw error;
      login
        .then((late) => late.logout('disconnected'))
        .catch((cause: unknown) => {
          if (!(cause instanceof LoginError || cause instanceof ExchangeError)) this.#reportError(cause);
        });
      throw new TemporaryFailure(`the login took more than ${requestTimeout} ms`);
    }
  }

  async #refuse(error: LoginError | ExchangeError, request: SaslauthdRequest, mind: Mind): Promise<void> {
    const { limits, events, logUsernames, clock } = this.#settings;
    const isTemporary = TEMPORARY.has(loginRefusalOf(error));
    if (error.culprit === 'client') {
      const { service } = request;
      const reply = isTemporary ? 'close' : 'NO';
      const event = { mind, kind: 'login-refused', mechanism: 'PLAIN', error, reply, service } as const;
      events.report(logUsernames ? { ...event, username: Buffer.from(request.username).toString() } : event);
    } else this.#reportError(error, mind);
    const policy = { ...limits, undelayedLoginFailures: 0, maxLoginFailures: 2, minChallengeDelay: 0 };
    await new LoginFailures(policy, clock).add(error, mind);
    if (!isTemporary) this.#say('NO');
  }

  #say(reply: 'OK' | 'NO'): void {
    this.#conversation.say(`\0\u0002${reply}`);
  }

  #reportError(cause: unknown, mind: Mind = this.#mind): void {
    reportError(this.#settings.events, mind, 'session', cause);
  }
}

/** The refusals that a later attempt may turn into a login. */
const TEMPORARY: ReadonlySet<string> = new Set(['deferred', 'not-offered', 'no-avatar', 'throttled', 'in-use']);
