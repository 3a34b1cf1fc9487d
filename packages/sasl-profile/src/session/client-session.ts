import { type Conversation, PeerGone } from '@postern/conversation';
import type { Clock, MaybePromise } from '@postern/core';
import {
  ANONYMOUS,
  type Culprit,
  type Interface,
  type Login,
  type LoginError,
  type LogoutReason,
  type Portal,
} from '@postern/cred';
import type { ChallengePacer, Challenger, ExchangeError } from '@postern/sasl';
import type { FramingOptions } from '../base64-framing.ts';
import type { ConversationMind } from '../conversation-mind.ts';
import { LoginFailures } from '../login-failures.ts';
import { type LoginOutcome, loginOver } from '../login-over.ts';
import type { EventReporter } from './event-reporter.ts';
import type { SessionEvent } from './session-event.ts';
import type { SessionLimits } from './session-limits.ts';

/** The settings of a server that all protocols share, for each of its sessions. */
export interface SessionSettings<V extends string, R> {
  readonly portal: Portal;
  readonly limits: SessionLimits;
  readonly events: EventReporter<SessionEvent<V, R>>;
  /** True if the event of a failed login holds the user name. */
  readonly logUsernames: boolean;
  /** Measures the delays after failed logins. */
  readonly clock: Clock;
  /** Delays the first challenges of all connections. */
  readonly challengePacer: ChallengePacer;
}

/** One login of a session: see {@link ClientSession.logIn}. */
export interface SessionLogin<A extends object, R> extends FramingOptions {
  /** The mechanism of the client's choice. */
  readonly challenger: Challenger;
  /** The initial response in base64 as the client sent it, `=` included. Undefined: absent. */
  readonly initialResponse: string | undefined;
  /** The avatars that the protocol works with. */
  readonly interfaces: readonly Interface<A>[];
  /** Returns the reply to a failed login. */
  readonly replyFor: (error: LoginError | ExchangeError) => R;
  /** Returns true if the protocol closes the connection after this error. Default: never. */
  readonly closesConnection?: (error: LoginError | ExchangeError) => boolean;
}

/**
 * The client of one session of a line protocol: its mind, its login, its TLS, and its events. `A`
 * is the avatar, `V` a verb of the protocol, `R` a reply in its events.
 */
export class ClientSession<A extends object, V extends string, R> {
  readonly conversation: Conversation;
  readonly settings: SessionSettings<V, R>;
  /** What the protocol knows of the client. */
  readonly mind: ConversationMind;
  login: Login<A> | undefined;
  /** Why the session ends; undefined while it continues. */
  closeReason: LogoutReason | undefined;
  /** Refusals of unknown, misplaced and malformed commands so far. */
  errorCount = 0;
  #authenticated = false;
  /** Created by the first login. */
  #loginFailures: LoginFailures | undefined;

  constructor(mind: ConversationMind, conversation: Conversation, settings: SessionSettings<V, R>) {
    this.conversation = conversation;
    this.settings = settings;
    this.mind = mind;
  }

  get portal(): Portal {
    return this.settings.portal;
  }

  /**
   * True if the client has authenticated itself. Until then the connection has a lifetime.
   */
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
   * Runs a SASL exchange and logs the client in, as {@link loginOver} does. Reports a refusal that
   * is the client's fault as an event.
   */
  logIn(login: SessionLogin<A, R>): MaybePromise<LoginOutcome<A>> {
    const { conversation, mind, portal, settings } = this;
    const { challenger, replyFor, closesConnection = () => false, ...framing } = login;
    const { mechanism } = challenger;
    this.#loginFailures ??= new LoginFailures(settings.limits, settings.clock);
    return loginOver({
      conversation,
      portal,
      mind,
      challenger,
      ...framing,
      failures: this.#loginFailures,
      pacer: settings.challengePacer,
      closesConnection,
      onRefused: (error, username) => {
        if (!this.hasListener) return;
        const event = { mind, kind: 'login-refused', mechanism, error, reply: replyFor(error) } as const;
        this.report(settings.logUsernames && username !== undefined ? { ...event, username } : event);
      },
    });
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
   * Sends what was said, such as the reply to STARTTLS, and starts TLS. Afterwards the session
   * begins again: it forgets the client's name and login, and ignores octets that came in the clear
   * (RFC 3207 §4.2, RFC 2595 §4, RFC 9051 §6.2.1). Before it, {@link Conversation.hasInput} must be
   * false: octets behind the command can be an attacker's.
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
