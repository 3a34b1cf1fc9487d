import type { Conversation } from '@postern/conversation';
import type { Mind } from '@postern/cred';

/** What this protocol knows of its client. */
export class SmtpMind implements Mind {
  readonly protocol: string;
  clientName: string | undefined;
  readonly #conversation: Conversation;
  #store: Map<symbol, unknown> | undefined;

  constructor(conversation: Conversation, protocol: string) {
    this.protocol = protocol;
    this.#conversation = conversation;
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

  get signal(): AbortSignal {
    return this.#conversation.signal;
  }

  get store(): Map<symbol, unknown> {
    this.#store ??= new Map();
    return this.#store;
  }

  /** Forgets what was learned of the client (RFC 3207 §4.2). */
  forget(): void {
    this.clientName = undefined;
    this.#store = undefined;
  }
}
