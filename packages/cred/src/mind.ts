import type { Address, Disconnection, TlsInfo } from '@postern/core';
import type { Ask } from './credentials.ts';
import { hasDisconnected } from './disconnection.ts';
import type { RelayedBinding } from './relayed-binding.ts';

/**
 * The protocol's knowledge of the client. Checkers and realms get it with each login. An
 * implementation may compute its properties, so extend {@link DelegatingMind} instead of spreading
 * a mind.
 */
export interface Mind {
  /** The name of the protocol in lower case: `smtp`, `lmtp`, `pop3`. */
  readonly protocol: string;
  /** The client's address. */
  readonly remote: Address;
  /** The address that the client connected to. */
  readonly local: Address;
  /** Undefined on a connection without TLS. */
  readonly tls: TlsInfo | undefined;
  /** The channel binding of a client whose TLS ends at another server. Undefined without one. */
  readonly relayedBinding?: RelayedBinding | undefined;
  /** The name that the client gave itself, such as the argument of EHLO. It is not verified. */
  readonly clientName: string | undefined;
  /** The SASL exchange, while a checker judges its credentials; undefined at other times. */
  readonly exchange?: Exchange | undefined;
  /** Aborts when the client has disconnected or the login has taken too long. */
  readonly signal: AbortSignal;
  /** True once `signal` has aborted. Cheaper than `signal`, which costs more than a login. */
  readonly disconnected?: boolean | undefined;
  /**
   * Calls listeners when `signal` aborts, for less than the signal costs. A mind with a signal of
   * its own has a disconnection of its own, or none. Read it through `disconnectionOf`.
   */
  readonly disconnection?: Disconnection | undefined;
  /** A store of checkers and realms that lasts as long as the connection. */
  readonly store: Map<symbol, unknown>;
}

/** A SASL exchange whose credentials are being judged. */
export interface Exchange {
  /** The name of the mechanism. */
  readonly mechanism: string;
  /** Asks the client for more than the mechanism does, such as a one-time code. */
  readonly ask: Ask;
}

/**
 * A mind that reads each property from another mind, on each access. Extend it to change some. A
 * subclass that overrides `signal` also overrides `disconnection`, with undefined if it has none:
 * else listeners follow the signal of the other mind.
 */
export class DelegatingMind implements Mind {
  readonly #mind: Mind;

  constructor(mind: Mind) {
    this.#mind = mind;
  }

  get protocol(): string {
    return this.#mind.protocol;
  }

  get remote(): Mind['remote'] {
    return this.#mind.remote;
  }

  get local(): Mind['local'] {
    return this.#mind.local;
  }

  get tls(): Mind['tls'] {
    return this.#mind.tls;
  }

  get relayedBinding(): RelayedBinding | undefined {
    return this.#mind.relayedBinding;
  }

  get clientName(): string | undefined {
    return this.#mind.clientName;
  }

  get exchange(): Mind['exchange'] {
    return this.#mind.exchange;
  }

  get signal(): AbortSignal {
    return this.#mind.signal;
  }

  get disconnected(): boolean {
    return hasDisconnected(this.#mind);
  }

  get disconnection(): Disconnection | undefined {
    return this.#mind.disconnection;
  }

  get store(): Map<symbol, unknown> {
    return this.#mind.store;
  }
}
