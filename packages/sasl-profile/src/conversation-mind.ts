import type { Conversation } from '@postern/conversation';
import type { Mind } from '@postern/cred';

/**
 * The mind of a client at the other end of a conversation. Addresses and TLS are those of the
 * transport at the time of the access, so the mind is still right after STARTTLS.
 */
export class ConversationMind implements Mind {
  readonly protocol: string;
  readonly #conversation: Conversation;
  #clientName: string | undefined;
  /** Created on first access: most clients need none. */
  #store: Map<symbol, unknown> | undefined;

  /** `protocol` is the protocol's name in lower case: `smtp`, `pop3`. */
  constructor(conversation: Conversation, protocol: string) {
    this.#conversation = conversation;
    this.protocol = protocol;
  }

  get remote(): Mind['remote'] {
    return this.#conversation.transport.remote;
  }

  get local(): Mind['local'] {
    return this.#conversation.transport.local;
  }

  get tls(): Mind['tls'] {
    return this.#conversation.transport.tls;
  }

  /** The name that the client gave itself, such as the argument of EHLO. The protocol sets it. */
  get clientName(): string | undefined {
    return this.#clientName;
  }

  set clientName(name: string | undefined) {
    this.#clientName = name;
  }

  get signal(): AbortSignal {
    return this.#conversation.signal;
  }

  get disconnected(): boolean {
    return this.#conversation.disconnected;
  }

  get disconnection(): Mind['disconnection'] {
    return this.#conversation;
  }

  get store(): Map<symbol, unknown> {
    this.#store ??= new Map();
    return this.#store;
  }

  /** Discards the client's name and the store. A server does so after STARTTLS (RFC 3207 §4.2). */
  forget(): void {
    this.#clientName = undefined;
    this.#store = undefined;
  }
}
