import type { Conversation } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { Login, LogoutReason } from '@postern/cred';
import {
  ClientSession,
  ConversationMind,
  checkServerHostname,
  type MechanismOffer,
  Refusal,
} from '@postern/sasl-profile';
import { apopTimestamp } from '../apop/timestamp.ts';
import { MISCONFIGURED } from '../error-replies.ts';
import type { Pop3Event } from '../events.ts';
import type { Mailbox } from '../mailbox.ts';
import type { CapabilityFacts } from '../protocol/capabilities.ts';
import type { Verb } from '../protocol/command.ts';
import type { Next, Phase } from '../protocol/phases.ts';
import { Maildrop } from './maildrop.ts';
import type { Settings } from './settings.ts';

/** The state of one session: its client, its phase and its mailbox. */
export class State extends ClientSession<Mailbox, Verb, string> {
  declare readonly settings: Settings;
  phase: Phase = 'authorization';
  /** The name that USER has given, for PASS. */
  username: Uint8Array | undefined;
  /** The timestamp of the greeting; undefined if the greeting has none. */
  timestamp: string | undefined;
  /** The mailbox of the user, after the login. */
  maildrop: Maildrop | undefined;
  #hostname: string | undefined;

  constructor(conversation: Conversation, settings: Settings) {
    super(new ConversationMind(conversation, 'pop3'), conversation, settings);
  }

  /**
   * The name of this server for this client. If the option `hostname` is a function, it is called
   * once, and again after STLS.
   *
   * @throws Refusal if that function fails or returns an invalid name.
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
      return checkServerHostname(hostname as string);
    } catch (error) {
      this.reportError('operator', 'session', error);
      throw new Refusal(MISCONFIGURED, { closes: true, counts: false });
    }
  }

  /** The greeting (RFC 1939 §4), with a timestamp if the client may use APOP (§7). */
  get greeting(): string {
    const { loginCommands } = this.settings;
    const offersApop = typeof loginCommands.choose('APOP', this.mind) === 'object';
    this.timestamp = offersApop ? apopTimestamp(this.hostname) : undefined;
    const stamp = this.timestamp === undefined ? '' : ` ${this.timestamp}`;
    return `+OK ${this.hostname} POP3 server ready${stamp}`;
  }

  /** The SASL mechanisms of this server, by its name for this client. */
  get mechanismOffer(): MechanismOffer {
    return this.settings.mechanisms.offerFor(this.hostname);
  }

  /** The names of the SASL mechanisms that this client may use now. */
  get mechanisms(): readonly string[] {
    return this.mechanismOffer.namesFor(this.mind);
  }

  /** What decides now about the reply to CAPA. */
  get capabilityFacts(): CapabilityFacts {
    const { mechanisms, canStartTls, authenticated } = this;
    const takesPasswords = typeof this.settings.loginCommands.choose('USER', this.mind) === 'object';
    return { mechanisms, takesPasswords, canStartTls, authenticated };
  }

  /** The user's mailbox. Commands of the transaction phase have one. */
  get openMaildrop(): Maildrop {
    if (this.maildrop === undefined) throw new Error('the session has no mailbox');
    return this.maildrop;
  }

  /** Enters the phase to which a command leads. */
  enterPhase(next: Next): void {
    if (next === 'update' || next === 'closed') this.closeReason = 'quit';
    else if (next !== 'same') this.phase = next;
  }

  override setLogin(login: Login<Mailbox>): void {
    super.setLogin(login);
    this.username = undefined;
    this.maildrop = new Maildrop(login.avatar);
  }

  /** Ends the login, and reports the end of its mailbox. Never fails. */
  override logout(reason: LogoutReason): MaybePromise<void> {
    const { login, maildrop, mind } = this;
    this.maildrop = undefined;
    if (login !== undefined && maildrop !== undefined && this.hasListener) {
      const { octetsSent: octets, removed: deleted, retrievedCount: retrieved } = maildrop;
      const { avatarId } = login;
      const messages = maildrop.messages.length;
      this.report({ mind, kind: 'mailbox-closed', avatarId, reason, messages, retrieved, octets, deleted });
    }
    return super.logout(reason);
  }

  /** Forgets what the client sent without TLS (RFC 2595 §4). */
  forgetClient(): void {
    this.username = undefined;
    this.#hostname = undefined;
  }

  /** Reports an event. Never throws. */
  override report(event: Pop3Event): void {
    if (this.hasListener) this.settings.events.report(event);
  }
}
