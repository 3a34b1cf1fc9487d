import { type Conversation, PeerGone } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type Culprit, type Login, LoginError, type LogoutReason, type Portal } from '@postern/cred';
import type { Challenger, ExchangeError } from '@postern/sasl';
import type { FramingOptions } from '../base64-framing.ts';
import type { ChosenChallenger, OfferObstacle } from '../choose-challenger.ts';
import { ConversationMind } from '../conversation-mind.ts';
import { LoginFailures } from '../login-failures.ts';
import { type LoginOutcome, loginOver } from '../login-over.ts';
import type { MechanismOffer } from '../mechanism-offer.ts';
import type { LoginCommand } from '../ready-challenger.ts';
import { checkHostname, HostnameFailed, type HostnameOption } from './hostname.ts';
import type { SessionEvent } from './session-event.ts';
import type { SessionSettings } from './session-settings.ts';

/** One login of a session: see {@link ClientSession.logIn}. */
export interface SessionLogin<A extends object, V extends string, R> extends Omit<FramingOptions, 'maxResponse'> {
  /** The command that logs in, for the log. */
  readonly verb: V;
  /** The mechanism of the client's choice. */
  readonly challenger: Challenger;
  /** The initial response in base64 as the client sent it, `=` included. Undefined: absent. */
  readonly initialResponse: string | undefined;
  /** Returns the reply to a failed login. */
  readonly replyFor: (error: LoginError | ExchangeError) => R;
  /** The last reply to a client whose logins have failed too often. */
  readonly tooManyFailures: R;
  /** Returns true if the protocol closes the connection after this error. Default: never. */
  readonly closesConnection?: (error: LoginError | ExchangeError) => boolean;
  /**
   * Begins the work of the avatar before the client learns of its login: opens the mailbox, or
   * connects to the back end. A LoginError that it throws, or rejects with, refuses the login. It
   * bounds its own time. Default: nothing.
   */
  readonly begin?: ((avatar: A) => MaybePromise<void>) | undefined;
}

/** A login that has failed. The client gets the reply. */
export interface FailedLogin<R> {
  readonly error: LoginError | ExchangeError;
  readonly reply: R;
  /** True if the client has failed too often. */
  readonly isTooMany: boolean;
}

/**
 * Why TLS cannot start now: it is active, the endpoint has none, or octets behind the command have
 * arrived.
 */
export type StartTlsObstacle = 'active' | 'not-available' | 'pipelined';

/**
 * The client of one session of a line protocol: its mind, its login, its TLS, and its events. `A`
 * is the avatar, `V` a verb of the protocol, `R` a reply in its events.
 */
export class ClientSession<A extends object, V extends string, R> {
  readonly conversation: Conversation;
  readonly settings: SessionSettings<A, SessionEvent<V, R>>;
  /** What the protocol knows of the client. */
  readonly mind: ConversationMind;
  login: Login<A> | undefined;
  /** Why the session ends; undefined while it continues. */
  closeReason: LogoutReason | undefined;
  /** Refusals of unknown, misplaced and malformed commands so far. */
  errorCount = 0;
  /** Tenths of junk commands at the time `junkCountedAt`. */
  junkTenths = 0;
  /** Milliseconds on the clock of the settings. */
  junkCountedAt = 0;
  #authenticated = false;
  #hostname: string | undefined;
  /** Created by the first login. */
  #loginFailures: LoginFailures | undefined;

  constructor(
    conversation: Conversation,
    settings: SessionSettings<A, SessionEvent<V, R>>,
    mind = new ConversationMind(conversation, settings.protocol),
  ) {
    this.conversation = conversation;
    this.settings = settings;
    this.mind = mind;
  }

  get portal(): Portal {
    return this.settings.portal;
  }

  /**
   * The name of this server for this client. If the option `hostname` is a function, it is called
   * once, and again after {@link forgetHostname}.
   *
   * @throws HostnameFailed if that function fails or returns an invalid name. The error has been
   * reported.
   */
  get hostname(): string {
    const { hostname } = this.settings;
    if (typeof hostname === 'string') return hostname;
    this.#hostname ??= this.#chooseHostname(hostname);
    return this.#hostname;
  }

  #chooseHostname(choose: Exclude<HostnameOption, string>): string {
    try {
      const hostname: unknown = choose(this.mind);
      // JavaScript allows an async function. Its rejection must not end the process.
      if (isPromise(hostname)) hostname.then(undefined, () => {});
      return checkHostname(hostname as string);
    } catch (error) {
      this.reportError('operator', 'session', error);
      throw new HostnameFailed(error);
    }
  }

  /** Forgets the hostname: the mind, by which it was chosen, has changed. */
  forgetHostname(): void {
    this.#hostname = undefined;
  }

  /** The SASL mechanisms of this server, by its name for this client. */
  get mechanismOffer(): MechanismOffer {
    return this.settings.offerFor(this);
  }

  /**
   * The names of the SASL mechanisms that this client may use now: the same array for all clients
   * with the same offer. Empty where the endpoint requires TLS first.
   */
  get mechanisms(): readonly string[] {
    return this.needsTls ? NO_MECHANISMS : this.mechanismOffer.namesFor(this.mind);
  }

  /**
   * Returns the challenger for the mechanism that the client names: see {@link chooseChallenger}.
   */
  chooseMechanism(mechanism: string): ChosenChallenger {
    const challenger = this.mechanismOffer.choose(mechanism, this.mind);
    return this.needsTls && challenger !== 'not-offered' ? 'needs-tls' : challenger;
  }

  /**
   * Returns why this client may not use a login command that is no mechanism, such as `USER`, by
   * the rules for mechanisms. Returns undefined if it may.
   */
  obstacleTo(command: LoginCommand): OfferObstacle | undefined {
    const obstacle = this.mechanismOffer.obstacleTo(command, this.mind);
    return this.needsTls && obstacle === undefined ? 'needs-tls' : obstacle;
  }

  /** True if the client has authenticated itself. Until then the connection has a lifetime. */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  set authenticated(authenticated: boolean) {
    // A failed login that ends an anonymous one must not restart the lifetime.
    if (authenticated === this.#authenticated) return;
    this.#authenticated = authenticated;
    this.restartLifetime();
  }

  /** Restarts the lifetime of a connection without a login, and lifts it for one with a login. */
  restartLifetime(): void {
    const { unauthenticatedTimeout } = this.settings.limits;
    this.conversation.expireIn(this.#authenticated ? Number.POSITIVE_INFINITY : unauthenticatedTimeout);
  }

  /** True if the connection has TLS. */
  get hasTls(): boolean {
    return this.mind.tls !== undefined;
  }

  /** True if STARTTLS works now. */
  get canStartTls(): boolean {
    const { transport } = this.conversation;
    const offersTls = transport.tlsPolicy === 'required' || transport.tlsPolicy === 'offered';
    return offersTls && transport.tls === undefined && transport.startTls !== undefined;
  }

  /** True if the endpoint requires TLS and the connection has none. */
  get needsTls(): boolean {
    const { tls, tlsPolicy } = this.conversation.transport;
    return tls === undefined && tlsPolicy === 'required';
  }

  /**
   * Runs a SASL exchange and logs the client in, as {@link loginOver} does. Keeps the login, or
   * returns the failure. Each outcome is an event. `closeReason` is set if the connection closes
   * behind the reply.
   */
  logIn(login: SessionLogin<A, V, R>): MaybePromise<FailedLogin<R> | undefined> {
    const { conversation, mind, portal, settings } = this;
    this.#loginFailures ??= new LoginFailures(settings.limits, settings.clock);
    const outcome = loginOver<readonly (typeof settings.interfaces)[number][]>({
      conversation,
      portal,
      mind,
      challenger: login.challenger,
      initialResponse: login.initialResponse,
      interfaces: settings.interfaces,
      prompt: login.prompt,
      maxResponse: settings.limits.maxExchangeLine,
      ...(login.hearResponse === undefined ? {} : { hearResponse: login.hearResponse }),
      allowUnpadded: login.allowUnpadded ?? false,
      failures: this.#loginFailures,
      pacer: settings.challengePacer,
      closesConnection: login.closesConnection,
      onRefused: (error, username) => this.#reportRefusedLogin(login, error, username),
    });
    if (!isPromise(outcome)) return this.#conclude(login, outcome);
    return outcome.then((later) => this.#conclude(login, later));
  }

  #conclude(login: SessionLogin<A, V, R>, outcome: LoginOutcome<A>): MaybePromise<FailedLogin<R> | undefined> {
    if ('login' in outcome) return this.#begin(login, outcome.login);
    const { error, isTooMany, hasLostSync } = outcome;
    if (error.culprit !== 'client') this.reportError(error.culprit, login.verb, error);
    if (isTooMany || hasLostSync || login.closesConnection?.(error) === true) this.closeReason = 'disconnected';
    return { error, reply: isTooMany ? login.tooManyFailures : login.replyFor(error), isTooMany };
  }

  #begin(login: SessionLogin<A, V, R>, granted: Login<A>): MaybePromise<FailedLogin<R> | undefined> {
    this.setLogin(granted);
    const begun = login.begin === undefined ? undefined : attempt(() => login.begin?.(granted.avatar));
    if (!isPromise(begun)) return this.#reportLogin(login, granted);
    return begun.then(
      () => this.#reportLogin(login, granted),
      (error: unknown) => this.#revoke(login, error),
    );
  }

  #reportLogin({ challenger: { mechanism } }: SessionLogin<A, V, R>, { avatarId }: Login<A>): undefined {
    if (this.hasListener) this.report({ mind: this.mind, kind: 'authenticated', mechanism, avatarId });
  }

  /** Ends a login whose avatar cannot begin its work. @throws an error that is no LoginError. */
  async #revoke(login: SessionLogin<A, V, R>, error: unknown): Promise<FailedLogin<R>> {
    await this.logout('reset');
    if (!(error instanceof LoginError)) throw error;
    if (error.culprit === 'client') this.#reportRefusedLogin(login, error, undefined);
    else this.reportError(error.culprit, login.verb, error);
    return { error, reply: login.replyFor(error), isTooMany: false };
  }

  #reportRefusedLogin(
    { challenger: { mechanism }, replyFor }: SessionLogin<A, V, R>,
    error: LoginError | ExchangeError,
    username: string | undefined,
  ): void {
    if (!this.hasListener) return;
    const event = { mind: this.mind, kind: 'login-refused', mechanism, error, reply: replyFor(error) } as const;
    this.report(this.settings.logUsernames && username !== undefined ? { ...event, username } : event);
  }

  /** Keeps an authenticated login. A user's connection closes last when connections run short. */
  setLogin(login: Login<A>): void {
    this.login = login;
    this.authenticated = true;
    if (login.avatarId !== ANONYMOUS) this.conversation.standing = 'authenticated';
  }

  /** Ends the login, if there is one. Never fails. */
  logout(reason: LogoutReason): MaybePromise<void> {
    const { login } = this;
    this.login = undefined;
    this.authenticated = false;
    this.conversation.standing = 'unauthenticated';
    const loggedOut = login?.logout(reason);
    if (loggedOut === undefined) return;
    return this.conversation
      .within(this.logoutTimeout, loggedOut)
      .catch((error: unknown) => this.reportError('us', 'session', error));
  }

  /** The most milliseconds that a logout takes. */
  get logoutTimeout(): number {
    return this.portal.loginTimeout;
  }

  /**
   * Why TLS cannot start now; undefined if it can. Octets behind the command can be an attacker's.
   * No honest client sends any (RFC 3207 §4.2): a server refuses them and closes the connection.
   */
  get startTlsObstacle(): StartTlsObstacle | undefined {
    if (this.hasTls) return 'active';
    if (!this.canStartTls) return 'not-available';
    return this.conversation.hasInput ? 'pipelined' : undefined;
  }

  /**
   * Sends what was said, such as the reply to STARTTLS, and starts TLS. Afterwards the session
   * begins again: it forgets the client's name and login, and ignores octets that came in the clear
   * (RFC 3207 §4.2, RFC 2595 §4, RFC 9051 §6.2.1). Before it, {@link startTlsObstacle} must be
   * undefined.
   *
   * @throws PeerGone if the handshake fails: the connection cannot return to clear text.
   */
  async startTls(during: V): Promise<void> {
    try {
      await this.conversation.startTls();
    } catch (error) {
      this.reportError('client', during, error);
      throw new PeerGone('the TLS handshake failed', { cause: error });
    }
    await this.logout('reset');
    this.mind.forget();
    this.forgetHostname();
    this.report({ mind: this.mind, kind: 'tls-started' });
  }

  /** True if events have a listener. Without one the session makes none. */
  get hasListener(): boolean {
    return this.settings.events.hasListener;
  }

  /** Reports an event. Never throws. */
  report(event: SessionEvent<V, R>): void {
    if (this.hasListener) this.settings.events.report(event);
  }

  /** Reports an error, once for each failure: to the listener, or as a warning of the process. */
  reportError(culprit: Culprit, during: V | 'session', cause: unknown): void {
    if (this.hasListener) this.report({ mind: this.mind, kind: 'error', culprit, during, cause });
    else this.settings.events.warn(culprit, during, cause);
  }
}

/** Calls a function that may throw. Returns its error as a rejection. */
function attempt(begin: () => MaybePromise<void>): MaybePromise<void> {
  try {
    return begin();
  } catch (error) {
    return Promise.reject(error);
  }
}

const NO_MECHANISMS: readonly string[] = [];
