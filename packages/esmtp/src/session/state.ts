import type { Conversation, Warnings } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type Culprit, type Login, type LogoutReason, type Portal, TrustedLogin } from '@postern/cred';
import { type Challenger, type MechanismPolicy, offered } from '@postern/sasl';
import type { LoginFailures } from '@postern/sasl-profile';
import type { MailParameters, MessageDelivery, Recipient } from '../delivery.ts';
import type { BdatMessage } from '../message/bdat-message.ts';
import { asDeliveryFailure } from '../message/delivery-failed.ts';
import { drop } from '../message/drop.ts';
import type { EventInfo, MessageSession } from '../message/message-session.ts';
import { ReceivedFieldCache } from '../message/received.ts';
import type { ReversePath } from '../protocol/address.ts';
import type { Verb } from '../protocol/command.ts';
import type { ExtensionContext } from '../protocol/extension.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Next, Phase } from '../protocol/phases.ts';
import { Reply } from '../protocol/reply.ts';
import type { Tolerance } from '../protocol/tolerance.ts';
import { SmtpMind } from './mind.ts';
import type { Settings } from './settings.ts';

/** A transaction that MAIL has begun. */
export interface Transaction {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
  readonly recipients: Recipient[];
  /** The message, if it comes in chunks and one has come; the refusal, if it could not be opened. */
  chunks: BdatMessage | Reply | undefined;
}

/** Where one session stands, and what it has to do with. */
export class State implements MessageSession, ExtensionContext {
  readonly conversation: Conversation;
  /** The server's, for all of its sessions. */
  readonly settings: Settings;
  /** What is known of the client. */
  readonly mind: SmtpMind;
  /** Which commands may come now. */
  phase: Phase = 'start';
  /** Where the session returns to after a transaction. */
  idlePhase: 'start' | 'plain' | 'extended' = 'start';
  /** Why the session ends, once it is clear that it does. */
  closeReason: LogoutReason | undefined;
  /** Who is logged in, by AUTH or as a guest. */
  login: Login<MessageDelivery> | undefined;
  /** What MAIL has begun, until the message, RSET or a greeting ends it. */
  transaction: Transaction | undefined;
  #authenticated = false;
  #receivedBeginning: ReceivedFieldCache | undefined;
  /** Octets that the transaction, or the message that came of it, counts for. */
  #envelopeOctets = 0;
  /** How often MAIL has come so far. */
  transactions = 0;
  /** Commands so far that were none. */
  errors = 0;
  /** Tenths of commands that brought no message, as they were at `junkCountedAt`. */
  junkTenths = 0;
  /** By the clock of the settings, in milliseconds. */
  junkCountedAt = 0;
  /** Created by the first AUTH. */
  loginFailures: LoginFailures | undefined;
  /** Octets of the command line at hand. */
  lineOctets = 0;
  /** The refusal that an event has told of while the command at hand ran. */
  told: Reply | undefined;

  constructor(conversation: Conversation, settings: Settings) {
    this.conversation = conversation;
    this.settings = settings;
    this.mind = new SmtpMind(conversation, settings.protocol);
  }

  /** True if AUTH succeeded. Until then the connection does not last for ever. */
  get authenticated(): boolean {
    return this.#authenticated;
  }

  set authenticated(authenticated: boolean) {
    // A failed AUTH that logs a guest out buys no time.
    if (authenticated === this.#authenticated) return;
    this.#authenticated = authenticated;
    this.limitLife();
  }

  /** Gives a client that has not logged in its whole time again. */
  limitLife(): void {
    this.conversation.expireIn(this.#authenticated ? Number.POSITIVE_INFINITY : this.limits.unauthenticatedTimeout);
  }

  /** A message was accepted: what came before it was no junk. */
  resetJunk(): void {
    this.junkTenths = 0;
    if (!this.#authenticated) this.limitLife();
  }

  /** Of the `Received:` fields. */
  get maxReceivedFields(): ReceivedFieldCache {
    this.#receivedBeginning ??= new ReceivedFieldCache();
    return this.#receivedBeginning;
  }

  get limits(): Limits {
    return this.settings.limits;
  }

  get portal(): Portal {
    return this.settings.portal;
  }

  get challengers(): readonly Challenger[] {
    return this.settings.challengers;
  }

  get mechanismPolicy(): MechanismPolicy {
    return this.settings.mechanismPolicy;
  }

  get tolerance(): Tolerance {
    return this.settings.tolerance;
  }

  get disabledExtensions(): ReadonlySet<string> {
    return this.settings.disabledExtensions;
  }

  /** Names of the SASL mechanisms that this client may use now. */
  get mechanisms(): readonly string[] {
    return offered(this.challengers, this.portal, this.mind, this.mechanismPolicy).map(({ mechanism }) => mechanism);
  }

  /** True if a checker accepts the user whom a trusted peer names (XCLIENT LOGIN). */
  get takesTrustedLogin(): boolean {
    return this.portal.handles(TrustedLogin);
  }

  /** True if the connection has TLS. */
  get hasTls(): boolean {
    return this.mind.tls !== undefined;
  }

  /** True after EHLO. */
  get extended(): boolean {
    return this.idlePhase === 'extended';
  }

  /** True if STARTTLS would work now. */
  get canStartTls(): boolean {
    const { transport } = this.conversation;
    const wanted = transport.tlsPolicy === 'required' || transport.tlsPolicy === 'offered';
    return wanted && transport.tls === undefined && transport.startTls !== undefined;
  }

  /** True if nothing of weight may be done before STARTTLS. */
  get needsTls(): boolean {
    const { tls, tlsPolicy } = this.conversation.transport;
    return tls === undefined && tlsPolicy === 'required';
  }

  /** True if nothing of weight may be done before AUTH. */
  get needsAuthentication(): boolean {
    return !this.authenticated && this.settings.authentication === 'required';
  }

  /** True for a guest at SMTP: nobody vouches for the sender's address. A client of LMTP is a server that queues. */
  get isStranger(): boolean {
    return this.settings.protocol === 'smtp' && this.login?.avatarId === ANONYMOUS;
  }

  /** True if what the client says of a message's first submitter counts (RFC 4954 §5). */
  get trusted(): boolean {
    return (
      this.authenticated && this.login !== undefined && this.settings.trustAuthParameter(this.mind, this.login.avatarId)
    );
  }

  /** True if the peer's word on whose connection it hands on counts (XCLIENT). */
  get trustsPeer(): boolean {
    return this.settings.xclient(this.conversation.transport.remote);
  }

  /** Goes where a positive reply leads. */
  enterPhase(next: Next): void {
    if (next === 'same') return;
    if (next === 'over') {
      this.closeReason = 'quit';
      return;
    }
    if (next === 'start' || next === 'plain' || next === 'extended') this.idlePhase = next;
    this.phase = next === 'home' ? this.idlePhase : next;
    if (this.phase === this.idlePhase) this.transaction = undefined;
  }

  /** Counts octets for the transaction, whatever the bounds are. */
  chargeEnvelope(octets: number): void {
    this.conversation.memory.charge(octets);
    this.#envelopeOctets += octets;
  }

  /** Counts octets for the transaction and returns true; false if there is no memory for them. */
  reserveForEnvelope(octets: number): boolean {
    if (this.conversation.memory.shortageOf(octets) !== undefined) return false;
    this.chargeEnvelope(octets);
    return true;
  }

  /** Counts a transaction's memory as free, once it is over and answered. */
  releaseEnvelope(): void {
    if (this.#envelopeOctets === 0) return;
    this.conversation.memory.release(this.#envelopeOctets);
    this.#envelopeOctets = 0;
  }

  /** Has a message of which chunks have come aborted, if there is one. Does not fail. */
  abortMessage(reason?: Error): MaybePromise<void> {
    const chunks = this.transaction?.chunks;
    if (chunks === undefined || chunks instanceof Reply) return;
    return chunks.abortMessage(reason ?? new Error('the client has taken the message back'));
  }

  /** What a delivery's call comes to. Fails with a Rejection or with DeliveryFailed and nothing else, and no later than the limit says. */
  ask<T>(call: () => MaybePromise<T>, milliseconds = this.limits.deliveryTimeout): MaybePromise<T> {
    try {
      const answer = call();
      return isPromise(answer) ? this.#wait(answer, milliseconds) : answer;
    } catch (error) {
      throw asDeliveryFailure(error);
    }
  }

  async #wait<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
    try {
      return await this.conversation.within(milliseconds, answer);
    } catch (error) {
      throw asDeliveryFailure(error);
    }
  }

  /** Logs out whoever is logged in. Does not fail. */
  logout(reason: LogoutReason): MaybePromise<void> {
    const { login } = this;
    this.login = undefined;
    this.authenticated = false;
    this.conversation.standing = 'unauthenticated';
    const leaving = login?.logout(reason);
    if (leaving === undefined) return;
    return this.conversation
      .within(this.limits.deliveryTimeout, leaving)
      .catch((error: unknown) => this.reportError('us', 'session', error));
  }

  /** Keeps the login of AUTH, or of a peer that is trusted. A user's connection stays when connections run short. */
  enter(login: Login<MessageDelivery>): void {
    this.login = login;
    this.authenticated = true;
    if (login.avatarId !== ANONYMOUS) this.conversation.standing = 'authenticated';
  }

  /** Marks a stranger whose message is under way: other strangers go first when connections run short. */
  noteMessage(): void {
    if (this.conversation.standing === 'unauthenticated') this.conversation.standing = 'busy';
  }

  /** True if somebody hears events: nobody makes one otherwise. */
  get isHeard(): boolean {
    return this.settings.onEvent !== undefined;
  }

  /** Tells of an event. */
  tell(event: EventInfo): void {
    const { onEvent, warnings } = this.settings;
    if (onEvent === undefined) return;
    if ('reply' in event) this.told = event.reply;
    try {
      drop(onEvent({ mind: this.mind, ...event }), (error) => warnOfListener(warnings, error));
    } catch (error) {
      // A log that does not work is no reason to refuse mail.
      warnOfListener(warnings, error);
    }
  }

  /** Tells of trouble: once for each failure, with whose it is. Without a listener, ours and the operator's become warnings of the process. */
  reportError(culprit: Culprit, during: Verb | 'session', cause: unknown): void {
    if (this.isHeard) this.tell({ kind: 'error', culprit, during, cause });
    else if (culprit !== 'client') this.settings.warnings.warn(`${this.settings.protocol}: ${during} failed`, cause);
  }
}

function warnOfListener(warnings: Warnings, error: unknown): void {
  warnings.warn('onEvent failed', error);
}
