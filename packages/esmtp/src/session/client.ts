import type { Conversation } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type Culprit, type Login, type LogoutReason, type Portal, TrustedLogin } from '@postern/cred';
import type { MechanismOffer } from '@postern/sasl-profile';
import type { MessageDelivery } from '../delivery.ts';
import type { EsmtpEvent } from '../events.ts';
import type { Verb } from '../protocol/command.ts';
import type { EhloFacts } from '../protocol/extension.ts';
import type { Limits } from '../protocol/limits.ts';
import { Rejection, type Reply } from '../protocol/reply.ts';
import type { Tolerance } from '../protocol/tolerance.ts';
import { SmtpMind } from './mind.ts';
import { checkHostname, type Settings } from './settings.ts';

/** The client of a session: its mind, its login, and what it may do now. */
export class Client {
  readonly conversation: Conversation;
  /** The settings of the server, for all sessions. */
  readonly settings: Settings;
  /** What the protocol knows of the client. */
  readonly mind: SmtpMind;
  /** The login by AUTH, by XCLIENT, or as `Anonymous`. */
  login: Login<MessageDelivery> | undefined;
  /** The refusal that an event has reported while the current command ran. */
  reportedRefusal: Reply | undefined;
  #authenticated = false;
  #hostname: string | undefined;

  constructor(conversation: Conversation, settings: Settings) {
    this.conversation = conversation;
    this.settings = settings;
    this.mind = new SmtpMind(conversation, settings.protocol);
  }

  get limits(): Limits {
    return this.settings.limits;
  }

  get portal(): Portal {
    return this.settings.portal;
  }

  get tolerance(): Tolerance {
    return this.settings.tolerance;
  }

  get disabledExtensions(): ReadonlySet<string> {
    return this.settings.disabledExtensions;
  }

  /** The SASL mechanisms of this server, by its name for this client. */
  get mechanismOffer(): MechanismOffer {
    return this.settings.offerFor(this);
  }

  /**
   * The names of the SASL mechanisms that this client may use now: the same array for all clients
   * with the same offer.
   */
  get mechanisms(): readonly string[] {
    return this.mechanismOffer.namesFor(this.mind);
  }

  /**
   * The name of this server for this client. If the option `hostname` is a function, it is called
   * once, and again after STARTTLS and XCLIENT.
   *
   * @throws Rejection if that function fails or returns an invalid name.
   */
  get hostname(): string {
    const { hostname } = this.settings;
    if (typeof hostname === 'string') return hostname;
    this.#hostname ??= this.#chooseHostname(hostname);
    return this.#hostname;
  }

  #chooseHostname(choose: Exclude<Settings['hostname'], string>): string {
    try {
      const hostname: unknown = choose(this.mind);
      // JavaScript allows an async function. Its rejection must not end the process.
      if (isPromise(hostname)) hostname.then(undefined, () => {});
      return checkHostname(hostname as string);
    } catch (error) {
      this.reportError('operator', 'session', error);
      throw new Rejection(421, '4.3.5', 'System incorrectly configured, closing the connection');
    }
  }

  /** Forgets the hostname: the mind, by which it was chosen, has changed. */
  forgetHostname(): void {
    this.#hostname = undefined;
  }

  /** The text of the greeting (RFC 5321 §4.2, RFC 2033 §4.1). */
  get greeting(): string {
    return `${this.hostname} ${this.settings.protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}`;
  }

  /**
   * True if AUTH, or a trusted peer's XCLIENT, succeeded. Until then the connection has a lifetime.
   */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  set authenticated(authenticated: boolean) {
    // A failed AUTH that ends an anonymous login must not restart the lifetime.
    if (authenticated === this.#authenticated) return;
    this.#authenticated = authenticated;
    this.restartLifetime();
  }

  /** Restarts the lifetime of a connection without a login, and lifts it for one with a login. */
  restartLifetime(): void {
    this.conversation.expireIn(this.#authenticated ? Number.POSITIVE_INFINITY : this.limits.unauthenticatedTimeout);
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

  /** True if the server requires authentication and the client has not authenticated. */
  get needsAuthentication(): boolean {
    return !this.authenticated && this.settings.authentication === 'required';
  }

  /**
   * True for an anonymous client of SMTP: its sender address is not proved. An LMTP client is a
   * server that queues.
   */
  get isAnonymous(): boolean {
    return this.settings.protocol === 'smtp' && this.login?.avatarId === ANONYMOUS;
  }

  /** True if this server believes the client's `AUTH=` parameter (RFC 4954 §5). */
  get trustsAuthParameter(): boolean {
    return (
      this.authenticated &&
      this.login !== undefined &&
      this.settings.trustAuthParameter(this.mind, this.login.avatarId) === true
    );
  }

  /**
   * True if the peer may send XCLIENT. Decided by the address of the connection, whatever the peer
   * has sent on it.
   */
  get trustsPeer(): boolean {
    // Only true: the promise of an async function would trust every peer.
    return this.settings.xclient(this.conversation.transport.remote) === true;
  }

  /** True if a checker accepts the user that a trusted peer names (XCLIENT LOGIN). */
  get takesTrustedLogin(): boolean {
    return this.portal.handles(TrustedLogin);
  }

  /** What decides now about the reply to EHLO. */
  get ehloFacts(): EhloFacts {
    const { limits, hasTls, canStartTls, needsTls, mechanisms, trustsPeer } = this;
    const takesTrustedLogin = trustsPeer && this.takesTrustedLogin;
    return { limits, hasTls, canStartTls, needsTls, mechanisms, trustsPeer, takesTrustedLogin };
  }

  /** Keeps an authenticated login. A user's connection closes last when connections run short. */
  setLogin(login: Login<MessageDelivery>): void {
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
      .within(this.limits.deliveryTimeout, loggedOut)
      .catch((error: unknown) => this.reportError('us', 'session', error));
  }

  /**
   * Marks an unauthenticated connection as busy with a message: when connections run short, idle
   * ones close first.
   */
  markBusy(): void {
    if (this.conversation.standing === 'unauthenticated') this.conversation.standing = 'busy';
  }

  /** True if events have a listener. Without one the session makes none. */
  get hasListener(): boolean {
    return this.settings.events.hasListener;
  }

  /** Reports an event. Never throws. */
  report(event: EsmtpEvent): void {
    if (!this.hasListener) return;
    if (event.kind !== 'message-accepted' && 'reply' in event) this.reportedRefusal = event.reply;
    this.settings.events.report(event);
  }

  /** Reports an error, once for each failure: to the listener, or as a warning of the process. */
  reportError(culprit: Culprit, during: Verb | 'session', cause: unknown): void {
    if (this.hasListener) this.report({ mind: this.mind, kind: 'error', culprit, during, cause });
    else this.settings.events.warn(culprit, during, cause);
  }
}
