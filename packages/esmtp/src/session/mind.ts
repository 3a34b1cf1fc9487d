import type { Conversation } from '@postern/conversation';
import type { Mind } from '@postern/cred';
import { FORWARDED, type ForwardedInfo, forwardedEnd, forwardedTls } from '../protocol/forwarded.ts';

/** What this protocol knows of its client. */
export class SmtpMind implements Mind {
  readonly protocol: string;
  readonly #conversation: Conversation;
  #clientName: string | undefined;
  #forwarded: ForwardedInfo | undefined;
  #store: Map<symbol, unknown> | undefined;

  constructor(conversation: Conversation, protocol: string) {
    this.protocol = protocol;
    this.#conversation = conversation;
  }

  get remote(): Mind['remote'] {
    const { remote } = this.#conversation.transport;
    return this.#forwarded === undefined ? remote : forwardedEnd(remote, this.#forwarded, 'client');
  }

  get local(): Mind['local'] {
    const { local } = this.#conversation.transport;
    return this.#forwarded === undefined ? local : forwardedEnd(local, this.#forwarded, 'destination');
  }

  get tls(): Mind['tls'] {
    const { tls } = this.#conversation.transport;
    return this.#forwarded === undefined || tls === undefined ? tls : forwardedTls(tls);
  }

  /** The name that the client gave itself; what a trusted peer says of that goes before. */
  get clientName(): string | undefined {
    return this.#forwarded !== undefined && 'helo' in this.#forwarded ? this.#forwarded.helo : this.#clientName;
  }

  set clientName(name: string | undefined) {
    this.#clientName = name;
  }

  /** What a trusted peer has said of the client. */
  get forwarded(): ForwardedInfo | undefined {
    return this.#forwarded;
  }

  get signal(): AbortSignal {
    return this.#conversation.signal;
  }

  get disconnected(): boolean {
    return this.#conversation.disconnected;
  }

  get store(): Map<symbol, unknown> {
    this.#store ??= new Map(this.#forwarded === undefined ? [] : [[FORWARDED, this.#forwarded]]);
    return this.#store;
  }

  /** Goes by what a trusted peer says of the client from now on. */
  forward(facts: ForwardedInfo | undefined): void {
    this.#forwarded = facts;
    if (facts === undefined) this.#store?.delete(FORWARDED);
    else this.#store?.set(FORWARDED, facts);
  }

  /** Forgets what was learned of the client (RFC 3207 §4.2), but not whose connection it is, which the trusted peer has said. */
  forget(): void {
    this.#clientName = undefined;
    this.#store = undefined;
    if (this.#forwarded === undefined) return;
    const { login: _, ...facts } = this.#forwarded;
    this.#forwarded = facts;
  }
}
