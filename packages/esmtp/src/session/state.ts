import type { Conversation } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type Culprit, type Login, type LogoutReason, type Portal, TrustedLogin } from '@postern/cred';
import { type Challenger, type MechanismPolicy, offered } from '@postern/sasl';
import type { LoginFailures } from '@postern/sasl-profile';
import type { MailParameters, MessageDelivery, Recipient } from '../delivery.ts';
import type { BdatMessage } from '../message/bdat-message.ts';
import { asDeliveryFailure } from '../message/delivery-failed.ts';
import type { EventInfo, MessageSession } from '../message/message-session.ts';
import { ReceivedFieldCache } from '../message/received.ts';
import type { ReversePath } from '../protocol/address.ts';
import type { Verb } from '../protocol/command.ts';
import type { ExtensionContext } from '../protocol/extension.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Next, Phase } from '../protocol/phases.ts';
import { Rejection, Reply } from '../protocol/reply.ts';
import type { Tolerance } from '../protocol/tolerance.ts';
import { SmtpMind } from './mind.ts';
import { checkHostname, type Settings } from './settings.ts';

/** A transaction, from MAIL to the end of its message. */
export interface Transaction {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly recipients: Recipient[];
  /** The message that a BDAT has begun, or the refusal of a message that could not be opened. */
  chunks: BdatMessage | Reply | undefined;
}

/** The state of one session. */
export class State implements MessageSession, ExtensionContext {
  readonly conversation: Conversation;
  /** The settings of the server, for all sessions. */
  readonly settings: Settings;
  /** What the protocol knows of the client. */
  readonly mind: SmtpMind;
  phase: Phase = 'start';
  /** The phase that follows if the current command succeeds. */
  next: Next | undefined;
  /** The phase to which the end of a transaction leads. */
  idlePhase: 'start' | 'plain' | 'extended' = 'start';
  /** Why the session ends; undefined while it continues. */
  closeReason: LogoutReason | undefined;
  /** The login by AUTH, by XCLIENT, or as `Anonymous`. */
  login: Login<MessageDelivery> | undefined;
  transaction: Transaction | undefined;
  #authenticated = false;
  #hostname: string | undefined;
  #receivedFields: ReceivedFieldCache | undefined;
  /** Octets of memory that the transaction, or its message, has charged. */
  #envelopeOctets = 0;
  /** MAIL commands so far. */
  transactions = 0;
  /** Replies to unknown, misplaced and malformed commands so far. */
  errors = 0;
  /** Tenths of junk commands at the time `junkCountedAt`. */
  junkTenths = 0;
  /** Milliseconds on the clock of the settings. */
  junkCountedAt = 0;
  /** Created by the first AUTH. */
  loginFailures: LoginFailures | undefined;
  /** Octets of the current command line. */
  lineOctets = 0;
  /** The refusal that an event has reported while the current command ran. */
  reportedRefusal: Reply | undefined;

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

  get mechanismPolicy(): MechanismPolicy {
    return this.settings.mechanismPolicy;
  }

  get challengers(): readonly Challenger[] {
    return this.settings.challengersFor(this);
  }

  /** The names of the SASL mechanisms that this client may use now. */
  get mechanisms(): readonly string[] {
    return offered(this.challengers, this.portal, this.mind, this.mechanismPolicy).map(({ mechanism }) => mechanism);
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
      return checkHostname(choose(this.mind));
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

  /** True after EHLO or LHLO. */
  get extended(): boolean {
    return this.idlePhase === 'extended';
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
      this.authenticated && this.login !== undefined && this.settings.trustAuthParameter(this.mind, this.login.avatarId)
    );
  }

  /**
   * True if the peer may send XCLIENT. Decided by the address of the connection, whatever the peer
   * has sent on it.
   */
  get trustsPeer(): boolean {
    return this.settings.xclient(this.conversation.transport.remote);
  }

  /** True if a checker accepts the user that a trusted peer names (XCLIENT LOGIN). */
  get takesTrustedLogin(): boolean {
    return this.portal.handles(TrustedLogin);
  }

  get receivedFields(): ReceivedFieldCache {
    this.#receivedFields ??= new ReceivedFieldCache();
    return this.#receivedFields;
  }

  /** Enters the phase to which the current command leads, once. */
  advance(): void {
    const { next } = this;
    this.next = undefined;
    if (next !== undefined) this.enterPhase(next);
  }

  /** Enters a phase. Entering an idle phase ends the transaction. */
  enterPhase(next: Next): void {
    if (next === 'same') return;
    if (next === 'closed') {
      this.closeReason = 'quit';
      return;
    }
    if (next === 'start' || next === 'plain' || next === 'extended') this.idlePhase = next;
    this.phase = next === 'idle' ? this.idlePhase : next;
    if (this.phase === this.idlePhase) this.transaction = undefined;
  }

  /**
   * The memory of the path in the current command with its parameters, in octets. Its texts are
   * views of the command line and keep it alive. UTF-8 may take two octets a character.
   */
  get pathCost(): number {
    return PATH_OBJECTS_OCTETS + 2 * this.lineOctets;
  }

  /** Charges memory to the transaction, without a bound. */
  chargeEnvelope(octets: number): void {
    this.conversation.memory.charge(octets);
    this.#envelopeOctets += octets;
  }

  /**
   * Charges memory to the transaction and returns true. Returns false if too little memory is free.
   */
  reserveForEnvelope(octets: number): boolean {
    if (this.conversation.memory.shortageOf(octets) !== undefined) return false;
    this.chargeEnvelope(octets);
    return true;
  }

  /** Releases the transaction's memory, after its last reply. */
  releaseEnvelope(): void {
    if (this.#envelopeOctets === 0) return;
    this.conversation.memory.release(this.#envelopeOctets);
    this.#envelopeOctets = 0;
  }

  /** Aborts a message whose chunks have begun. Never fails. */
  abortMessage(reason?: Error): MaybePromise<void> {
    const chunks = this.transaction?.chunks;
    if (chunks === undefined || chunks instanceof Reply) return;
    return chunks.abortMessage(reason ?? new Error('the client cancelled the message'));
  }

  /** Forgets the junk commands so far, after an accepted message. */
  resetJunk(): void {
    this.junkTenths = 0;
    if (!this.#authenticated) this.restartLifetime();
  }

  /**
   * Calls a delivery and returns its result. Fails with a `Rejection` or a `DeliveryFailed`, after
   * at most `milliseconds`.
   */
  ask<T>(call: () => MaybePromise<T>, milliseconds = this.limits.deliveryTimeout): MaybePromise<T> {
    try {
      const result = call();
      return isPromise(result) ? this.#wait(result, milliseconds) : result;
    } catch (error) {
      throw asDeliveryFailure(error);
    }
  }

  async #wait<T>(result: Promise<T>, milliseconds: number): Promise<T> {
    try {
      return await this.conversation.within(milliseconds, result);
    } catch (error) {
      throw asDeliveryFailure(error);
    }
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
  report(event: EventInfo): void {
    if (!this.hasListener) return;
    if ('reply' in event && event.kind !== 'message-accepted') this.reportedRefusal = event.reply;
    this.settings.events.report({ mind: this.mind, ...event });
  }

  /** Reports an error, once for each failure: to the listener, or as a warning of the process. */
  reportError(culprit: Culprit, during: Verb | 'session', cause: unknown): void {
    if (this.hasListener) this.report({ kind: 'error', culprit, during, cause });
    else this.settings.events.warn(culprit, during, cause);
  }
}

/** The objects of a path, here and in a delivery. */
const PATH_OBJECTS_OCTETS = 512;
