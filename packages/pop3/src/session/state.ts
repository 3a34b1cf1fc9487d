import type { MaybePromise } from '@postern/core';
import type { Login, LogoutReason } from '@postern/cred';
import { ClientSession, type LoginCommand, type OfferObstacle } from '@postern/sasl-profile';
import type { Pop3Event } from '../events.ts';
import type { Mailbox } from '../mailbox.ts';
import type { CapabilityFacts } from '../protocol/capabilities.ts';
import type { Verb } from '../protocol/command.ts';
import type { Next, Phase } from '../protocol/phases.ts';
import { apopTimestamp } from './apop-timestamp.ts';
import { APOP, USER } from './login-commands.ts';
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
  #maildrop: Maildrop | undefined;

  /**
   * The greeting (RFC 1939 §4), with a timestamp if the client may use APOP (§7), now or behind
   * STLS.
   */
  get greeting(): string {
    const offersApop = this.obstacleTo(APOP) !== 'not-offered';
    this.timestamp = offersApop ? apopTimestamp(this.hostname) : undefined;
    const stamp = this.timestamp === undefined ? '' : ` ${this.timestamp}`;
    return `+OK ${this.hostname} POP3 server ready${stamp}`;
  }

  /** The reply to a login (RFC 1939 §7). */
  get welcome(): string {
    const { count, octets } = this.maildrop;
    return `+OK maildrop has ${count} messages (${octets} octets)`;
  }

  /** What decides now about the reply to CAPA. */
  get capabilityFacts(): CapabilityFacts {
    const { mechanisms, canStartTls, authenticated } = this;
    return { mechanisms, takesPasswords: this.obstacleTo(USER) === undefined, canStartTls, authenticated };
  }

  /** Returns why this connection is not offered USER or APOP; undefined if it is. */
  override obstacleTo(command: LoginCommand): OfferObstacle | undefined {
    if (this.settings.disabledLoginCommands.has(command.mechanism)) return 'not-offered';
    return super.obstacleTo(command);
  }

  /** The user's mailbox: commands of the transaction phase have one. */
  get maildrop(): Maildrop {
    if (this.#maildrop === undefined) throw new Error('the session has no mailbox');
    return this.#maildrop;
  }

  /** True if the client has marked messages: it fetches them again if it cannot say QUIT. */
  get hasMarks(): boolean {
    return this.#maildrop?.hasMarks === true;
  }

  /** Enters the phase to which a command leads. */
  enterPhase(next: Next): void {
    if (next === 'update' || next === 'closed') this.closeReason = 'quit';
    else if (next !== 'same') this.phase = next;
  }

  override setLogin(login: Login<Mailbox>): void {
    super.setLogin(login);
    this.username = undefined;
    this.#maildrop = new Maildrop(login.avatar);
  }

  /** Ends the login, and reports the end of its mailbox. Never fails. */
  override logout(reason: LogoutReason): MaybePromise<void> {
    const { login, mind } = this;
    const maildrop = this.#maildrop;
    this.#maildrop = undefined;
    if (login !== undefined && maildrop !== undefined && this.hasListener) {
      const { octetsSent: octets, removed: deleted, retrievedCount: retrieved } = maildrop;
      const { avatarId } = login;
      const messages = maildrop.messages.length;
      this.report({ mind, kind: 'mailbox-closed', avatarId, reason, messages, retrieved, octets, deleted });
    }
    return super.logout(reason);
  }

  /** Reports an event. Never throws. */
  override report(event: Pop3Event): void {
    if (this.hasListener) this.settings.events.report(event);
  }
}
