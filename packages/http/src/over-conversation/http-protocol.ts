import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Conversation, Protocol } from '@postern/conversation';
import { isPromise } from '@postern/core';
import { ConversationSocket, type SocketObserver } from './conversation-socket.ts';

/**
 * Answers a request, as a listener of `node:http` does. Express, Fastify (`app.routing`) and Hono
 * (`getRequestListener`) make such functions.
 */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** The limits of {@link httpProtocol}. */
export interface HttpProtocolOptions {
  /**
   * The most milliseconds from the connect, or from a response, until the whole head of the next
   * request has arrived. Default: 60,000.
   */
  readonly idleTimeout?: number;
  /**
   * The most milliseconds from the head of a request until its whole body has arrived. Also the
   * most from the end of the client's side until the response has been sent. Default: 60,000.
   */
  readonly requestTimeout?: number;
  /** The most octets of the head of a request. A longer head gets 431. Default: 16,384. */
  readonly maxHeadOctets?: number;
}

/**
 * Returns HTTP/1.1 as a protocol for conversations: `node:http` parses the requests, and `handler`
 * answers them. So the listeners of `@postern/node` serve HTTP with their limits, certificates,
 * PROXY headers and UNIX sockets. A handler that fails is answered with 500, and its error becomes
 * the rejection of the protocol, which the listener reports. When the server shuts down, requests
 * that have begun get their response, with `Connection: close`.
 *
 * @example
 * ```ts
 * import { httpProtocol } from '@postern/http/node';
 *
 * const protocol = httpProtocol((_request, response) => response.end('hello'));
 * ```
 */
export function httpProtocol(handler: HttpHandler, options: HttpProtocolOptions = {}): Protocol {
  const { idleTimeout = 60_000, requestTimeout = 60_000, maxHeadOctets = 16_384 } = options;
  const sessions = new WeakMap<object, HttpSession>();
  const server = createServer({ maxHeaderSize: maxHeadOctets }, (request, response) => {
    sessions.get(request.socket)?.serve(request, response);
  });
  const run = async (conversation: Conversation): Promise<void> => {
    const session = new HttpSession(conversation, handler, { idleTimeout, requestTimeout });
    sessions.set(session.socket, session);
    await session.run(server);
  };
  return Object.assign(run, { scheme: 'http' });
}

interface Timeouts {
  readonly idleTimeout: number;
  readonly requestTimeout: number;
}

/** The requests of one connection. */
class HttpSession implements SocketObserver {
  readonly socket: ConversationSocket;
  readonly #conversation: Conversation;
  readonly #handler: HttpHandler;
  readonly #timeouts: Timeouts;
  /** The responses that are unfinished: several if the client pipelines its requests. */
  readonly #open = new Map<ServerResponse, IncomingMessage>();
  readonly #closed = Promise.withResolvers<void>();
  #failure: { readonly error: unknown } | undefined;

  constructor(conversation: Conversation, handler: HttpHandler, timeouts: Timeouts) {
    this.#conversation = conversation;
    this.#handler = handler;
    this.#timeouts = timeouts;
    this.socket = new ConversationSocket(conversation, this);
  }

  get owesResponse(): boolean {
    return this.#open.size > 0 && [...this.#open.values()].every(({ complete }) => complete);
  }

  /** The parser starts each request that has arrived: a client could start any number. */
  get mayReadOn(): boolean {
    return this.#open.size < MAX_PIPELINED_REQUESTS;
  }

  /** Serves the connection until it closes. Rejects with the error of a handler. */
  async run(server: Server): Promise<void> {
    const { shutdownSignal } = this.#conversation;
    this.socket.once('close', this.#closed.resolve);
    this.#conversation.expireIn(this.#timeouts.idleTimeout);
    server.emit('connection', this.socket);
    const onShutdown = (): void => this.#shutDown();
    shutdownSignal.addEventListener('abort', onShutdown);
    if (shutdownSignal.aborted) onShutdown();
    await this.#closed.promise;
    shutdownSignal.removeEventListener('abort', onShutdown);
    await this.#conversation.close();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    this.#open.set(response, request);
    this.#conversation.standing = 'busy';
    this.#conversation.expireIn(this.#timeouts.requestTimeout);
    if (this.#conversation.shutdownSignal.aborted) endAfter(response);
    response.once('close', () => this.#answered(response));
    try {
      const result: unknown = this.#handler(request, response);
      if (isPromise(result)) result.then(undefined, (error: unknown) => this.#fail(response, error));
    } catch (error) {
      this.#fail(response, error);
    }
  }

  onTimeout(): void {
    // RFC 9110 §15.5.9: a client that has begun a request learns why its connection closes.
    if (this.socket.hasUnansweredOctets && this.#open.size === 0) this.#conversation.say(REQUEST_TIMEOUT);
    this.socket.destroy();
  }

  /** The client may have left: a handler without an end must not keep its login open. */
  onHalfClose(): void {
    this.#conversation.within(this.#timeouts.requestTimeout, this.#closed.promise).catch(() => this.socket.destroy());
  }

  #answered(response: ServerResponse): void {
    this.#open.delete(response);
    if (this.mayReadOn) this.socket.readOn();
    if (this.#open.size > 0) return;
    this.#conversation.standing = 'unauthenticated';
    this.#conversation.expireIn(this.#timeouts.idleTimeout);
    this.socket.requestEnded();
  }

  #fail(response: ServerResponse, error: unknown): void {
    this.#failure ??= { error };
    endAfter(response);
    if (response.headersSent) this.socket.destroy();
    else response.writeHead(500).end();
  }

  /** Lets the requests end that have begun (RFC 9112 §9.6), and closes an idle connection. */
  #shutDown(): void {
    for (const response of this.#open.keys()) endAfter(response);
    if (this.#open.size === 0 && !this.socket.hasUnansweredOctets) this.socket.destroy();
  }
}

/** Makes the response the last one of its connection, unless its head has been sent. */
function endAfter(response: ServerResponse): void {
  if (response.headersSent) response.shouldKeepAlive = false;
  else response.setHeader('Connection', 'close');
}

/** Requests without a response, above which the server reads no octets of the client. */
const MAX_PIPELINED_REQUESTS = 32;
const REQUEST_TIMEOUT = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
