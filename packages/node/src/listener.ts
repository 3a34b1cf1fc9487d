import type { Server, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Closing,
  Conversation,
  ConversationError,
  type ConversationOptions,
  Deadlines,
  MemoryBudget,
  type TlsPolicy,
  TurnQueue,
} from '@postern/conversation';
import { type Address, networkOf, systemClock } from '@postern/core';
import { AcceptedConnection, type ConnectionObserver } from './accepted-connection.ts';
import { localAddress, remoteAddress, tcpAddress, unixAddress } from './address.ts';
import { ClientLimits, type LimitExceeded } from './client-limits.ts';
import { ConnectionSlots } from './connection-slots.ts';
import { formatEndpoint } from './endpoint.ts';
import { ErrorReporter } from './error-reporter.ts';
import type { ListenOptions } from './listen-options.ts';
import { proxiedTlsInfo } from './proxy-additions.ts';
import type { ProxyHeader } from './proxy-header.ts';
import { type SecuredSocket, type SocketInfo, SocketTransport, UpgradableTransport } from './socket-transport.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import type { SocketFile } from './unix-socket.ts';

/** The origin of a listener's socket. */
export interface SocketOrigin {
  /** Undefined for a socket without a file of its own. */
  readonly file: SocketFile | undefined;
  /** True if no other process accepts the connections that wait at the close. */
  readonly drainsBacklog: boolean;
}

/** A server that listens at one endpoint, and its conversations. `listen` and `serve` make it. */
export class Listener implements AsyncDisposable {
  readonly tlsPolicy: TlsPolicy;
  /** The option `name`. */
  readonly name: string | undefined;
  readonly #server: Server;
  readonly #options: ListenOptions;
  readonly #origin: SocketOrigin;
  /** The number of connections that were accepted, those above a limit included. */
  #accepted = 0;
  readonly #limits: ClientLimits;
  readonly #slots: ConnectionSlots;
  readonly #errors: ErrorReporter;
  readonly #proxies: TrustedProxies | undefined;
  readonly #deadlines: Deadlines;
  readonly #memory: MemoryBudget;
  readonly #conversationOptions: ConversationOptions;
  readonly #shutdown = new AbortController();
  /** The number of protocols that run, also those whose client has disconnected. */
  #protocols = 0;
  #address: Address | undefined;
  /** True if every connection has the local address of the listener. */
  #hasOneAddress = false;
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  readonly #observer: ConnectionObserver = {
    onStanding: (connection, standing) => this.#slots.move(connection, standing),
    onDisplaced: ({ remote }) => this.#errors.report({ kind: 'displaced', remote }),
    onClose: (connection) => {
      this.#slots.free(connection);
      this.#limits.removeConnection(connection.network);
      this.#checkIdle();
    },
  };

  /** @internal */
  constructor(server: Server, tlsPolicy: TlsPolicy, options: ListenOptions, origin: SocketOrigin) {
    this.tlsPolicy = tlsPolicy;
    this.name = options.name;
    this.#server = server;
    this.#options = options;
    this.#origin = origin;
    const { clock = systemClock, conversation, limits, onError, proxy } = options;
    this.#limits = new ClientLimits(limits, clock);
    this.#slots = new ConnectionSlots(limits?.maxConnections ?? DEFAULT_MAX_CONNECTIONS);
    this.#errors = new ErrorReporter(onError, clock);
    this.#proxies = proxy === undefined ? undefined : new TrustedProxies(proxy);
    this.#deadlines = conversation?.deadlines ?? new Deadlines();
    this.#memory = conversation?.memory ?? new MemoryBudget();
    this.#conversationOptions = {
      ...conversation,
      deadlines: this.#deadlines,
      memory: this.#memory,
      turns: conversation?.turns ?? new TurnQueue(),
      shutdownSignal: this.#shutdown.signal,
    };
    server.on('connection', (socket) => this.#accept(socket));
    server.once('listening', () => {
      const { endpoint } = options;
      this.#address = 'path' in endpoint ? unixAddress(endpoint.path) : addressOf(server);
      this.#hasOneAddress = !/^(::|0\.0\.0\.0)$/.test(this.#address.address);
      server.on('error', (error) => this.#errors.report({ kind: 'accept', error }));
    });
  }

  /** The address of the listener, with its real port. */
  get address(): Address {
    if (this.#address === undefined) throw new TypeError('the listener does not listen');
    return this.#address;
  }

  /** The endpoint as a URL, with its real port. */
  get url(): string {
    const { endpoint } = this.#options;
    return formatEndpoint('path' in endpoint ? endpoint : { ...endpoint, port: this.address.port });
  }

  /** The number of open connections. */
  get connections(): number {
    return this.#slots.size;
  }

  /**
   * Closes the listener. It accepts the clients that wait at a UNIX socket, and no further client.
   * It aborts each conversation's `shutdownSignal`, and waits for the protocols, at most
   * `shutdownTimeout` milliseconds (default: 10,000). In the last second of the timeout, each wait
   * for a client fails with `Closing`, so that the protocol can send a last reply. Then the
   * listener destroys the remaining connections, and gives their protocols one second to clean up.
   * Every call returns the same promise, which never rejects.
   */
  close({ shutdownTimeout = 10_000 }: { readonly shutdownTimeout?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(shutdownTimeout);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(shutdownTimeout: number): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#origin.file?.remove();
    if (this.#origin.drainsBacklog && shutdownTimeout > 0) await this.#drainBacklog();
    this.#server.close(() => resolve());
    this.#shutdown.abort(new Closing());
    // A connection before its conversation, in a TLS handshake for one, has had no reply, and gets
    // none.
    for (const connection of this.#slots) if (!connection.isConversing) connection.destroy();
    const lastCall = Math.min(shutdownTimeout / 2, LAST_CALL_MS);
    await this.#idleWithin(shutdownTimeout - lastCall);
    if (lastCall > 0) for (const connection of this.#slots) connection.interrupt(new Closing());
    await this.#idleWithin(lastCall);
    // A protocol may still deliver the message of a client that has disconnected.
    if (this.#protocols > 0) this.#errors.report({ kind: 'cut-off', connections: this.#protocols });
    for (const connection of this.#slots) connection.destroy();
    await closed;
    await this.#idleWithin(Math.min(shutdownTimeout, CLEANUP_MS));
  }

  /**
   * Accepts the connections that wait in the system, which the close would reset. A poll of the
   * event loop accepts at least one of them.
   */
  async #drainBacklog(): Promise<void> {
    const most = this.#accepted + (this.#options.backlog ?? DEFAULT_BACKLOG);
    let before: number;
    // This turn of the loop may have polled already.
    await nextTurn();
    do {
      before = this.#accepted;
      await nextTurn();
    } while (this.#accepted > before && this.#accepted < most);
  }

  /** Resolves when no connection and no protocol is left, or after the milliseconds. */
  async #idleWithin(milliseconds: number): Promise<void> {
    if (this.#isIdle || milliseconds <= 0) return;
    const wait = this.#deadlines.wait(milliseconds);
    this.#onIdle = () => wait.resolve();
    await wait.result.catch(ignore);
  }

  get #isIdle(): boolean {
    return this.connections === 0 && this.#protocols === 0;
  }

  #checkIdle(): void {
    if (this.#isIdle) this.#onIdle?.();
  }

  #accept(socket: Socket): void {
    this.#accepted++;
    const remote = 'path' in this.#options.endpoint ? unixAddress('') : remoteAddress(socket);
    if (remote === undefined) {
      // The client reset the connection before the accept.
      drop(socket);
      return;
    }
    // A proxy counts as no client: the clients behind it do.
    const isProxy = this.#proxies?.includes(remote) ?? false;
    const network = isProxy ? undefined : networkOf(remote);
    const connection = new AcceptedConnection(socket, remote, network, this.#observer);
    const info = { remote, local: this.#localOf(socket), tlsPolicy: this.tlsPolicy, observer: connection };
    const limit = this.#memory.hasRoom ? (this.#limits.addConnection(network) ?? this.#takeSlot(connection)) : 'memory';
    if (limit !== undefined) this.#refuse(socket, remote, limit);
    else if (isProxy) void this.#beginProxied(socket, info, connection);
    else this.#begin(socket, info, connection);
  }

  #takeSlot(connection: AcceptedConnection): LimitExceeded | undefined {
    if (this.#slots.take(connection)) return undefined;
    this.#limits.removeConnection(connection.network);
    return 'connections';
  }

  #refuse(socket: Socket, remote: Address, limit: LimitExceeded): void {
    // With implicit TLS a reply needs a handshake, which costs more than a client above a limit
    // gets.
    if (this.tlsPolicy !== 'implicit') socket.write(this.#refusal(limit, remote));
    drop(socket);
    this.#errors.report({ kind: 'refused', remote, limit });
  }

  #refusal(limit: LimitExceeded, remote: Address): string {
    const { refusal = '' } = this.#options;
    try {
      return typeof refusal === 'string' ? refusal : refusal(limit, remote);
    } catch (error) {
      this.#errors.report({ kind: 'protocol', remote, error });
      return '';
    }
  }

  /**
   * Reads the PROXY header of a trusted proxy, and counts the connection for the client that it
   * names.
   */
  async #beginProxied(socket: Socket, info: SocketInfo, connection: AcceptedConnection): Promise<void> {
    const unwatch = connection.watch();
    try {
      const proxied = await this.#proxies?.readHeader(socket);
      const client = withProxied(info, proxied);
      const network = networkOf(client.remote);
      const limit = this.#limits.addConnection(network);
      unwatch();
      if (limit === undefined) {
        connection.remote = client.remote;
        connection.network = network;
        this.#begin(socket, client, connection);
      } else {
        this.#slots.free(connection);
        this.#refuse(socket, client.remote, limit);
        this.#checkIdle();
      }
    } catch (error) {
      socket.destroy();
      this.#errors.report({ kind: 'proxy', remote: info.remote, error });
    }
  }

  #begin(socket: Socket, info: SocketInfo, connection: AcceptedConnection): void {
    const { certificates } = this.#options;
    if (certificates === undefined || this.tlsPolicy === 'none') {
      this.#converse(new SocketTransport(socket, info), connection);
    } else if (this.tlsPolicy === 'implicit') void this.#beginSecured(socket, info, connection);
    else this.#converse(new UpgradableTransport(socket, info, this.#secure), connection);
  }

  async #beginSecured(socket: Socket, info: SocketInfo, connection: AcceptedConnection): Promise<void> {
    const unwatch = connection.watch();
    try {
      const secured = await this.#secure(socket, info.remote);
      unwatch();
      // Behind a proxy that ends the client's TLS, this handshake was the proxy's.
      const tls = info.tls ?? secured.tls;
      this.#converse(new SocketTransport(secured.socket, { ...info, tls }), connection);
    } catch (error) {
      if (error instanceof TooManyHandshakes) return;
      this.#errors.report({ kind: 'handshake', remote: info.remote, error });
    }
  }

  /**
   * Runs the server's half of a handshake, unless the client had too many. A failure destroys the
   * socket.
   */
  readonly #secure = async (socket: Socket, client: Address): Promise<SecuredSocket> => {
    const { certificates } = this.#options;
    const network = networkOf(client);
    if (certificates === undefined) throw new TypeError('there are no certificates');
    if (!this.#limits.beginHandshake(network)) {
      socket.destroy();
      this.#errors.report({ kind: 'refused', remote: client, limit: 'handshakes-per-minute' });
      throw new TooManyHandshakes();
    }
    try {
      return await certificates.secure(socket);
    } catch (error) {
      this.#limits.failHandshake(network);
      throw error;
    }
  };

  // Not an async function: its frame would live as long as the connection, and most connections are
  // idle.
  #converse(transport: SocketTransport, connection: AcceptedConnection): void {
    connection.attach(transport);
    const conversation = new Conversation(transport, this.#conversationOptions);
    transport.memory = conversation.memory;
    this.#protocols++;
    this.#runProtocol(conversation).then(
      () => this.#end(conversation),
      (error: unknown) => this.#fail(conversation, error),
    );
  }

  #runProtocol(conversation: Conversation): Promise<void> {
    try {
      return this.#options.protocol(conversation);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #end(conversation: Conversation): void {
    void conversation.close().then(() => this.#remove(conversation));
  }

  #fail(conversation: Conversation, error: unknown): void {
    conversation.destroy();
    const kind = error instanceof ConversationError ? 'conversation' : 'protocol';
    this.#errors.report({ kind, remote: conversation.transport.remote, error });
    this.#remove(conversation);
  }

  #remove({ memory }: Conversation): void {
    memory.close();
    this.#protocols--;
    this.#checkIdle();
  }

  #localOf(socket: Socket): Address {
    return this.#hasOneAddress ? this.address : (localAddress(socket) ?? this.address);
  }
}

/** The connection as the proxy reports it. Without a report it is the proxy's own. */
function withProxied(info: SocketInfo, proxied: ProxyHeader | undefined): SocketInfo {
  const { connection, tls, additions = [] } = proxied ?? {};
  return {
    ...info,
    proxied,
    ...(connection && { remote: connection.source, local: connection.destination }),
    ...(tls && { tls: proxiedTlsInfo(tls, additions) }),
  };
}

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === 'string') return unixAddress(address ?? '');
  return tcpAddress(address.address, address.port);
}

function drop(socket: Socket): void {
  socket.on('error', ignore).destroySoon();
}

function ignore(): void {}

/** The client's network had too many TLS handshakes in this minute. */
class TooManyHandshakes extends Error {
  constructor() {
    super('too many TLS handshakes');
  }
}

/** The number of connections that the system keeps until they are accepted. */
export const DEFAULT_BACKLOG = 4_096;
const DEFAULT_MAX_CONNECTIONS = 10_000;
/** The time before the end of a `shutdownTimeout` in which clients get a last reply. */
const LAST_CALL_MS = 1_000;
/** The time that protocols have to clean up after their connections are destroyed. */
const CLEANUP_MS = 1_000;
