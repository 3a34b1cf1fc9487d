import type { Conversation } from '@postern/conversation';
import { ANONYMOUS, TrustedLogin } from '@postern/cred';
import { ClientSession } from '@postern/sasl-profile';
import type { MessageDelivery } from '../delivery.ts';
import type { EsmtpEvent } from '../events.ts';
import type { Verb } from '../protocol/command.ts';
import type { EhloFacts } from '../protocol/extension.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Reply } from '../protocol/reply.ts';
import type { Tolerance } from '../protocol/tolerance.ts';
import { SmtpMind } from './mind.ts';
import type { Settings } from './settings.ts';

/**
 * The client of a session, and what it may do now. It logs in by AUTH, by XCLIENT, or as
 * `Anonymous`.
 */
export class Client extends ClientSession<MessageDelivery, Verb, Reply> {
  /** The settings of the server, for all sessions. */
  declare readonly settings: Settings;
  declare readonly mind: SmtpMind;
  /** The refusal that an event has reported while the current command ran. */
  reportedRefusal: Reply | undefined;

  constructor(conversation: Conversation, settings: Settings) {
    super(conversation, settings, new SmtpMind(conversation, settings.protocol));
  }

  get limits(): Limits {
    return this.settings.limits;
  }

  override get logoutTimeout(): number {
    return this.limits.deliveryTimeout;
  }

  get tolerance(): Tolerance {
    return this.settings.tolerance;
  }

  get disabledExtensions(): ReadonlySet<string> {
    return this.settings.disabledExtensions;
  }

  /** The text of the greeting (RFC 5321 §4.2, RFC 2033 §4.1). */
  get greeting(): string {
    return `${this.hostname} ${this.settings.protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}`;
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

  /**
   * Marks an unauthenticated connection as busy with a message: when connections run short, idle
   * ones close first.
   */
  markBusy(): void {
    if (this.conversation.standing === 'unauthenticated') this.conversation.standing = 'busy';
  }

  /** Reports an event. Never throws. */
  override report(event: EsmtpEvent): void {
    if (!this.hasListener) return;
    if (event.kind !== 'message-accepted' && 'reply' in event) this.reportedRefusal = event.reply;
    this.settings.events.report(event);
  }
}
