import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Address, parseAddress, type TlsInfo } from '@postern/core';
import type { Mind } from '@postern/cred';
import { ConversationSocket } from '../over-conversation/conversation-socket.ts';
import { socketTls } from './socket-tls.ts';

/** The options of the adapters for servers on `node:http`. */
export interface RequestMindOptions {
  /**
   * The proxies whose `X-Forwarded-For` names the client: its last address that is no such proxy.
   * Default: none, so that no client can choose its address.
   */
  readonly trustProxy?: (peer: Address) => boolean;
}

/** The mind of the client of a request of `node:http`. */
export class RequestMind implements Mind {
  readonly protocol = 'http';
  readonly clientName = undefined;
  readonly remote: Address;
  readonly local: Address;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #controller: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, { trustProxy }: RequestMindOptions = {}) {
    const { socket } = request;
    this.#request = request;
    this.#response = response;
    const peer = addressOf(socket.remoteAddress, socket.remotePort);
    this.remote = trustProxy === undefined ? peer : clientBehind(peer, request, trustProxy);
    this.local = addressOf(socket.localAddress, socket.localPort);
  }

  /** The TLS of the connection, which is the proxy's behind a proxy. */
  get tls(): TlsInfo | undefined {
    const { socket } = this.#request;
    return socket instanceof ConversationSocket ? socket.conversation.transport.tls : socketTls(socket);
  }

  /** The store of the connection: its requests share it. */
  get store(): Map<symbol, unknown> {
    const socket = this.#request.socket as object as StoreHolder;
    socket[STORE] ??= new Map();
    return socket[STORE];
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

/** Reads X-Forwarded-For from its end, where the nearest proxy has added its client. */
function clientBehind(peer: Address, { headers }: IncomingMessage, isTrusted: (peer: Address) => boolean): Address {
  const field = headers['x-forwarded-for'];
  const hops = (Array.isArray(field) ? field.join() : (field ?? '')).split(',').reverse();
  let client = peer;
  for (const hop of hops) {
    const address = isTrusted(client) ? parseAddress(hop.trim(), undefined) : undefined;
    if (address === undefined) return client;
    client = address;
  }
  return client;
}

function addressOf(text: string | undefined, port: number | undefined): Address {
  if (text === undefined) return { family: 'unix', address: '', port: 0 };
  const address = text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
  return { family: address.includes(':') ? 'IPv6' : 'IPv4', address, port: port ?? 0 };
}

/** A socket with the store of its connection. */
interface StoreHolder {
  [STORE]?: Map<symbol, unknown>;
}

const STORE = Symbol('store');
