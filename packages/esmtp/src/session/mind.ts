import type { Mind } from '@postern/cred';
import { ConversationMind } from '@postern/sasl-profile';
import { FORWARDED, type ForwardedInfo, forwardedEnd, forwardedTls } from '../protocol/forwarded.ts';

/**
 * The mind of an SMTP or LMTP client. For a forwarded client (XCLIENT) the trusted peer's
 * information takes precedence.
 */
export class SmtpMind extends ConversationMind {
  #forwarded: ForwardedInfo | undefined;
  #clientName: string | undefined;

  override get remote(): Mind['remote'] {
    return this.#forwarded === undefined ? super.remote : forwardedEnd(super.remote, this.#forwarded, 'client');
  }

  override get local(): Mind['local'] {
    return this.#forwarded === undefined ? super.local : forwardedEnd(super.local, this.#forwarded, 'destination');
  }

  override get tls(): Mind['tls'] {
    const tls = super.tls;
    return this.#forwarded === undefined || tls === undefined ? tls : forwardedTls(tls);
  }

  /** The name in EHLO, HELO or LHLO; for a forwarded client the name that the peer gives. */
  override get clientName(): string | undefined {
    return this.#forwarded !== undefined && 'helo' in this.#forwarded ? this.#forwarded.helo : this.#clientName;
  }

  override set clientName(name: string | undefined) {
    this.#clientName = name;
  }

  /** The information of a trusted peer about a forwarded client. */
  get forwarded(): ForwardedInfo | undefined {
    return this.#forwarded;
  }

  override get store(): Map<symbol, unknown> {
    const store = super.store;
    if (this.#forwarded !== undefined && !store.has(FORWARDED)) store.set(FORWARDED, this.#forwarded);
    return store;
  }

  /** Replaces the information about the forwarded client. */
  forward(info: ForwardedInfo | undefined): void {
    this.#forwarded = info;
    if (info === undefined) super.store.delete(FORWARDED);
    else super.store.set(FORWARDED, info);
  }

  /**
   * Forgets what the client has said (RFC 3207 §4.2). The peer's information about the connection
   * stays, without its login.
   */
  override forget(): void {
    super.forget();
    this.#clientName = undefined;
    if (this.#forwarded === undefined) return;
    const { login: _, ...info } = this.#forwarded;
    this.#forwarded = info;
  }
}
