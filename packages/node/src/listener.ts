import type { Server, Socket } from 'node:net';
import {
  Closing,
  Conversation,
  ConversationError,
  type ConversationOptions,
  Deadlines,
  MemoryBudget,
  type Standing,
  type TlsPolicy,
  TurnQueue,
  Warnings,
} from '@postern/conversation';
import { type Address, networkOf, systemClock } from '@postern/core';
import { localAddress, remoteAddress, tcpAddress, unixAddress } from './address.ts';
import { ClientLimits, type LimitExceeded } from './client-limits.ts';
import { ConnectionSlots } from './connection-slots.ts';
import { formatEndpoint } from './endpoint.ts';
import type { ListenOptions } from './listen-options.ts';
import { type ListenerError, reportError } from './listener-error.ts';
import { PendingConnection, type PendingConnectionKeeper } from './pending-connection.ts';
import { ReportLimit } from './report-limit.ts';
import { type SecuredSocket, type SocketInfo, SocketTransport, UpgradableTransport } from './socket-transport.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** A server that listens, and the conversations with all who have come. {@link listen} makes it. */
export class Listener implements AsyncDisposable, PendingConnectionKeeper {
  readonly tlsPolicy: TlsPolicy;
  readonly #server: Server;
  readonly #options: ListenOptions;
  readonly #limits: ClientLimits;
  readonly #places: ConnectionSlots;
  readonly #reports: ReportLimit;
  readonly #proxies: TrustedProxies | undefined;
  readonly #deadlines: Deadlines;
  readonly #memory: MemoryBudget;
  readonly #conversation: ConversationOptions;
  readonly #closing = new AbortController();
  readonly #warnings = new Warnings();
  #protocols = 0;
  #address: Address | undefined;
  /** The address is the same for all connections, and not any of this machine's. */
  #oneAddress = false;
  #closed: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(server: Server, tlsPolicy: TlsPolicy, options: ListenOptions) {
    this.tlsPolicy = tlsPolicy;
    this.#server = server;
    this.#options = options;
    const { clock = systemClock, limits } = options;
    this.#limits = new ClientLimits(limits, clock);
    this.#places = new ConnectionSlots(limits?.maxConnections ?? 10_000);
    this.#reports = new ReportLimit(clock);
    this.#proxies = options.proxy === undefined ? undefined : new TrustedProxies(options.proxy);
    this.#deadlines = options.conversation?.deadlines ?? new Deadlines();
    const turns = options.conversation?.turns ?? new TurnQueue();
    this.#memory = options.conversation?.memory ?? new MemoryBudget();
    this.#conversation = {
      ...options.conversation,
      deadlines: this.#deadlines,
      memory: this.#memory,
      turns,
      shutdownSignal: this.#closing.signal,
    };
    server.on('connection', (socket) => this.#accept(socket));
    server.once('listening', () => {
      this.#address = addressOf(server);
      this.#oneAddress = !/^(::|0\.0\.0\.0)$/.test(this.#address.address);
      server.on('error', (error) => this.#tell({ kind: 'accept', error }));
    });
  }

  /** Where it listens, with the port that it really has. */
  get address(): Address {
    if (this.#address === undefined) throw new TypeError('the listener does not listen');
    return this.#address;
  }

  /** The endpoint as a URL, with the port that it really has. */
  get url(): string {
    const { endpoint } = this.#options;
    return formatEndpoint('path' in endpoint ? endpoint : { ...endpoint, port: this.address.port });
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#places.size;
  }

  /**
   * Stops accepting, drops who has not begun to speak, aborts the conversations' `closing`, waits until all have taken leave, at most
   * `shutdownTimeout` milliseconds (10,000 by default), and then closes the rest at once. In the last second of these nobody is heard any more:
   * hearing fails with Closing. What the protocols then have to clear away, half a message for one, may take a second more.
   */
  close({ shutdownTimeout = 10_000 }: { readonly shutdownTimeout?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(shutdownTimeout);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  gone(visit: PendingConnection): void {
    this.#places.leave(visit);
    this.#limits.leave(visit.network);
    this.#checkIdle();
  }

  /** @internal */
  displaced({ remote }: PendingConnection): void {
    this.#report({ kind: 'displaced', remote });
  }

  /** @internal */
  moved(visit: PendingConnection, standing: Standing): void {
    this.#places.move(visit, standing);
  }

  async #close(shutdownTimeout: number): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#closing.abort(new Closing());
    // With these no word was spoken yet, and none may come.
    for (const place of this.#places) if (!place.isConversing) place.destroy();
    const last = Math.min(shutdownTimeout / 2, LAST_CALL);
    await this.#idleWithin(shutdownTimeout - last);
    if (last > 0) this.#callLast();
    await this.#idleWithin(last);
    // Of a client that has gone there may still be a message to be delivered.
    if (this.#protocols > 0) this.#tell({ kind: 'cut-off', connections: this.#protocols });
    for (const place of this.#places) place.destroy();
    await closed;
    await this.#idleWithin(Math.min(shutdownTimeout, CLEARING));
  }

  /** Breaks off the waits for peers who are in the middle of something, so that they hear a last word, too. */
  #callLast(): void {
    for (const place of this.#places) place.interrupt(new Closing());
  }

  /** Waits until all have taken leave, at most so many milliseconds. */
  async #idleWithin(milliseconds: number): Promise<void> {
    if (this.#idle || milliseconds <= 0) return;
    const wait = this.#deadlines.wait(milliseconds);
    this.#onIdle = () => wait.resolve();
    await wait.result.catch(ignore);
  }

  get #idle(): boolean {
    return this.connections === 0 && this.#protocols === 0;
  }

  #checkIdle(): void {
    if (this.#idle) this.#onIdle?.();
  }

  #accept(socket: Socket): void {
    const remote = 'path' in this.#options.endpoint ? unixAddress('') : remoteAddress(socket);
    if (remote === undefined) {
      // It was reset before it was here.
      drop(socket);
      return;
    }
    const facts = { remote, local: this.#local(socket), tlsPolicy: this.tlsPolicy };
    // A proxy is not counted as a client: those whom it brings are.
    const isProxy = this.#proxies?.includes(remote) ?? false;
    const network = isProxy ? undefined : networkOf(remote);
    const visit = new PendingConnection(socket, remote, network, this);
    const excess = this.#memory.hasRoom ? (this.#limits.enter(network) ?? this.#enter(visit)) : 'memory';
    if (excess !== undefined) this.#refuse(socket, remote, excess);
    else if (isProxy) void this.#introduce(socket, facts, visit);
    else this.#begin(socket, facts, visit);
  }

  /** Takes a place. What the visit counts for its network is taken back if there is none. */
  #enter(visit: PendingConnection): LimitExceeded | undefined {
    if (this.#places.enter(visit)) return undefined;
    this.#limits.leave(visit.network);
    return 'connections';
  }

  #refuse(socket: Socket, remote: Address, excess: LimitExceeded | 'memory'): void {
    // TLS comes before any words, and would cost more than we have to spare.
    if (this.tlsPolicy !== 'implicit') socket.write(this.#refusal(excess, remote));
    drop(socket);
    this.#report({ kind: 'refused', remote, excess });
  }

  #refusal(excess: LimitExceeded | 'memory', remote: Address): string {
    const { refusal = '' } = this.#options;
    try {
      return typeof refusal === 'string' ? refusal : refusal(excess, remote);
    } catch (error) {
      this.#tell({ kind: 'protocol', remote, error });
      return '';
    }
  }

  /** Hears from a proxy whose connection it is. */
  async #introduce(socket: Socket, facts: SocketInfo, visit: PendingConnection): Promise<void> {
    const unwatch = visit.watch();
    try {
      const proxied = await this.#proxies?.hear(socket);
      const { source: remote, destination: local } = proxied?.connection ?? {
        source: facts.remote,
        destination: facts.local,
      };
      const network = networkOf(remote);
      const excess = this.#limits.enter(network);
      unwatch();
      if (excess === undefined) {
        visit.remote = remote;
        visit.network = network;
        this.#begin(socket, { ...facts, remote, local, proxied }, visit);
      } else {
        this.#places.leave(visit);
        this.#refuse(socket, remote, excess);
        this.#checkIdle();
      }
    } catch (error) {
      socket.destroy();
      this.#tell({ kind: 'proxy', remote: facts.remote, error });
    }
  }

  #begin(socket: Socket, facts: SocketInfo, visit: PendingConnection): void {
    const { certificates } = this.#options;
    const ownFacts = { ...facts, keeper: visit };
    if (certificates === undefined || this.tlsPolicy === 'none') {
      this.#converse(new SocketTransport(socket, ownFacts), visit);
    } else if (this.tlsPolicy === 'implicit') void this.#secureFirst(socket, ownFacts, visit);
    else this.#converse(new UpgradableTransport(socket, ownFacts, this.#secure), visit);
  }

  async #secureFirst(socket: Socket, facts: SocketInfo, visit: PendingConnection): Promise<void> {
    const unwatch = visit.watch();
    try {
      const secured = await this.#secure(socket, facts.remote);
      unwatch();
      this.#converse(new SocketTransport(secured.socket, { ...facts, tls: secured.facts }), visit);
    } catch (error) {
      if (!(error instanceof TooManyHandshakes)) this.#tell({ kind: 'handshake', remote: facts.remote, error });
    }
  }

  /** Leads the server's half of a handshake, unless the client has had too many. If it fails the socket is destroyed. */
  readonly #secure = async (socket: Socket, client: Address): Promise<SecuredSocket> => {
    const { certificates } = this.#options;
    const network = networkOf(client);
    if (certificates === undefined) throw new TypeError('there are no certificates');
    if (!this.#limits.beginHandshake(network)) {
      socket.destroy();
      this.#report({ kind: 'refused', remote: client, excess: 'handshakes-per-minute' });
      throw new TooManyHandshakes();
    }
    try {
      return await certificates.secure(socket);
    } catch (error) {
      this.#limits.failHandshake(network);
      throw error;
    }
  };

  // Not an async function: its frame would be kept for as long as the connection, and most connections are idle.
  #converse(transport: SocketTransport, visit: PendingConnection): void {
    visit.become(transport);
    const conversation = new Conversation(transport, this.#conversation);
    transport.memory = conversation.memory;
    this.#protocols++;
    this.#lead(conversation).then(
      () => this.#end(conversation),
      (error: unknown) => this.#fail(conversation, error),
    );
  }

  #lead(conversation: Conversation): Promise<void> {
    try {
      return this.#options.protocol(conversation);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #end(conversation: Conversation): Promise<void> {
    await conversation.close();
    conversation.memory.close();
    this.#protocols--;
    this.#checkIdle();
  }

  #fail(conversation: Conversation, error: unknown): void {
    conversation.destroy();
    conversation.memory.close();
    const kind = error instanceof ConversationError ? 'conversation' : 'protocol';
    this.#tell({ kind, remote: conversation.transport.remote, error });
    this.#protocols--;
    this.#checkIdle();
  }

  #local(socket: Socket): Address {
    return this.#oneAddress ? this.address : (localAddress(socket) ?? this.address);
  }

  /** Tells of what strangers can repeat, at a bounded rate. */
  #report(trouble: Extract<ListenerError, { omitted?: number }>): void {
    const omitted = this.#reports.next();
    if (omitted !== undefined) this.#tell(omitted > 0 ? { ...trouble, omitted } : trouble);
  }

  #tell(trouble: ListenerError): void {
    reportError(trouble, this.#options.onError, this.#warnings);
  }
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

/** The client's network has had too many TLS handshakes this minute. */
class TooManyHandshakes extends Error {
  constructor() {
    super('too many TLS handshakes');
  }
}

/** Milliseconds. */
const LAST_CALL = 1_000;
const CLEARING = 1_000;
