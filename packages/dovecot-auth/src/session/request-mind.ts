import { type Address, type Disconnection, type DisconnectListener, parseAddress } from '@postern/core';
import type { Mind } from '@postern/cred';
import type { AuthLine } from '../protocol/auth-line.ts';
import { protocolOfService } from '../protocol/protocol-of-service.ts';
import type { ClientBinding } from './client-binding.ts';

/**
 * The mind of one request: the mail server's client, as the mail server describes it. `tls` is
 * undefined, because `secured` proves nothing: Exim says it without TLS.
 */
export class RequestMind implements Mind, Disconnection {
  readonly tls = undefined;
  readonly clientName = undefined;
  /** Undefined for a mail server that passes no channel binding on. */
  readonly relayedBinding: ClientBinding | undefined;
  readonly #line: AuthLine;
  readonly #connection: Mind;
  #remote: Address | undefined;
  #store: Map<symbol, unknown> | undefined;
  #controller: AbortController | undefined;
  #listeners: DisconnectListener[] | undefined;
  #disconnected = false;

  constructor(line: AuthLine, connection: Mind, relayedBinding?: ClientBinding) {
    this.#line = line;
    this.#connection = connection;
    this.relayedBinding = relayedBinding;
  }

  /** The protocol of the service: a user with the scope `smtp` may log in to Postfix. */
  get protocol(): string {
    return protocolOfService(this.service) ?? this.#connection.protocol;
  }

  get service(): string | undefined {
    return this.#line.valueOf('service') ?? this.#line.valueOf('protocol');
  }

  /** The client's address; the mail server's if the request names no valid one. */
  get remote(): Address {
    this.#remote ??= this.#address('rip', 'rport') ?? this.#connection.remote;
    return this.#remote;
  }

  get local(): Address {
    return this.#address('lip', 'lport') ?? this.#connection.local;
  }

  get store(): Map<symbol, unknown> {
    this.#store ??= new Map();
    return this.#store;
  }

  /** Aborts when the request ends without an answer. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#disconnected) this.#controller.abort();
    return this.#controller.signal;
  }

  get disconnected(): boolean {
    return this.#disconnected;
  }

  get disconnection(): Disconnection {
    return this;
  }

  addDisconnectListener(listener: DisconnectListener): void {
    if (this.#disconnected) {
      listener.onDisconnect();
      return;
    }
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  removeDisconnectListener(listener: DisconnectListener): void {
    const index = this.#listeners?.indexOf(listener) ?? -1;
    if (index >= 0) this.#listeners?.splice(index, 1);
  }

  /** Ends the work of checkers and realms on this request. */
  disconnect(): void {
    if (this.#disconnected) return;
    this.#disconnected = true;
    this.#controller?.abort();
    for (const listener of this.#listeners?.splice(0) ?? []) listener.onDisconnect();
  }

  #address(ip: string, port: string): Address | undefined {
    const text = this.#line.valueOf(ip);
    return text === undefined ? undefined : parseAddress(text, this.#line.valueOf(port));
  }
}
