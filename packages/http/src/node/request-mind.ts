import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Address, TlsInfo } from '@postern/core';
import type { Mind } from '@postern/cred';
import { type ConnectionInfo, connectionOf } from './connection-info.ts';
import { type ForwardedClient, forwardedClient, type ProxyOptions } from './forwarded-client.ts';

/** The mind of the client of a request of `node:http`. */
export class RequestMind implements Mind {
  readonly protocol = 'http';
  readonly clientName = undefined;
  readonly #connection: ConnectionInfo;
  readonly #client: ForwardedClient | undefined;
  readonly #response: ServerResponse;
  #store: Map<symbol, unknown> | undefined;
  #controller: AbortController | undefined;

  /** `client` is the client whose request a proxy passes on, if there is a proxy. */
  constructor(connection: ConnectionInfo, client: ForwardedClient | undefined, response: ServerResponse) {
    this.#connection = connection;
    this.#client = client;
    this.#response = response;
  }

  get remote(): Address {
    return (this.#client ?? this.#connection).remote;
  }

  get local(): Address {
    return this.#connection.local;
  }

  get tls(): TlsInfo | undefined {
    return (this.#client ?? this.#connection).tls;
  }

  /** A connection of a proxy carries the requests of many clients, so each request has a store. */
  get store(): Map<symbol, unknown> {
    if (this.#client === undefined) return this.#connection.store;
    this.#store ??= new Map();
    return this.#store;
  }

  /** Aborts when the response closes: the client has disconnected, or has its answer. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      if (this.disconnected) controller.abort();
      else this.#response.once('close', () => controller.abort());
    }
    return this.#controller.signal;
  }

  get disconnected(): boolean {
    return this.#response.closed || this.#response.destroyed;
  }
}

/**
 * Returns the mind of a request. Returns undefined if a trusted proxy's field does not describe the
 * client: refuse such a request with 400.
 */
export function mindOf(
  request: IncomingMessage,
  response: ServerResponse,
  options: ProxyOptions,
): RequestMind | undefined {
  const connection = connectionOf(request.socket);
  const client = forwardedClient(connection.remote, request, options);
  return client === 'malformed' ? undefined : new RequestMind(connection, client, response);
}
