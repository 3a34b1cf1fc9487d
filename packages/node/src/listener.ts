import type { Server, Socket } from 'node:net';
import {
  type Address,
  Closing,
  Conversation,
  ConversationError,
  type ConversationOptions,
  Deadlines,
  Roll,
  type TlsPolicy,
  TurnQueue,
  Warnings,
} from '@postern/conversation';
import { networkOf } from '@postern/core';
import { localAddress, remoteAddress, tcpAddress, unixAddress } from './address.ts';
import type { Certificates } from './certificates.ts';
import { ClientLimits, type Excess } from './client-limits.ts';
import { formatEndpoint } from './endpoint.ts';
import type { ListenOptions } from './listen-options.ts';
import { type SocketFacts, SocketTransport, type TransportKeeper, UpgradableTransport } from './socket-transport.ts';
import { type Trouble, tellTrouble } from './trouble.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** A server that listens, and the conversations with all who have come. {@link listen} makes it. */
export class Listener implements AsyncDisposable, TransportKeeper {
  readonly tlsPolicy: TlsPolicy;
  readonly #server: Server;
  readonly #options: ListenOptions;
  readonly #limits: ClientLimits;
  readonly #proxies: TrustedProxies | undefined;
  readonly #deadlines: Deadlines;
  readonly #conversation: ConversationOptions;
  readonly #closing = new AbortController();
  readonly #warnings = new Warnings();
  /** The sockets that are not transports yet, and whom each is counted for. */
  readonly #arriving = new Map<Socket, string | undefined>();
  readonly #transports = new Roll<SocketTransport>();
  /** One for all sockets. */
  readonly #onSocketClose: (this: Socket) => void;
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
    this.#limits = new ClientLimits(options.limits);
    this.#proxies = options.proxy === undefined ? undefined : new TrustedProxies(options.proxy);
    this.#deadlines = options.conversation?.deadlines ?? new Deadlines();
    const turns = options.conversation?.turns ?? new TurnQueue();
    this.#conversation = { ...options.conversation, deadlines: this.#deadlines, turns, closing: this.#closing.signal };
    const onClose = (socket: Socket) => {
      this.#limits.leave(this.#release(socket));
      this.#checkIdle();
    };
    this.#onSocketClose = function () {
      onClose(this);
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
    return this.#arriving.size + this.#transports.members.length;
  }

  /**
   * Stops accepting, drops who has not begun to speak, aborts the conversations' `closing`, waits until all have taken leave, at most
   * `grace` milliseconds (10,000 by default), and then closes the rest at once. In the last second of these nobody is heard any more:
   * hearing fails with Closing. What the protocols then have to clear away, half a message for one, may take a second more.
   */
  close({ grace = 10_000 }: { readonly grace?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(grace);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Called by the transports. */
  gone(transport: SocketTransport): void {
    this.#transports.delete(transport);
    this.#limits.leave(networkOf(transport.remote));
    this.#checkIdle();
  }

  async #close(grace: number): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#closing.abort(new Closing());
    // With these no word was spoken yet, and none may come.
    for (const socket of this.#arriving.keys()) socket.destroy();
    const last = Math.min(grace / 2, LAST_CALL);
    await this.#idleWithin(grace - last);
    if (last > 0) this.#callLast();
    await this.#idleWithin(last);
    // Of a client that has gone there may still be a message to be delivered.
    if (this.#protocols > 0) this.#tell({ kind: 'cut-off', connections: this.#protocols });
    for (const transport of this.#transports.members.slice()) transport.destroy();
    await closed;
    await this.#idleWithin(Math.min(grace, CLEARING));
  }

  /** Breaks off the waits for peers who are in the middle of something, so that they hear a last word, too. */
  #callLast(): void {
    for (const { listener } of this.#transports.members.slice()) listener?.interrupt(new Closing());
  }

  /** Waits until all have taken leave, at most so many milliseconds. */
  async #idleWithin(milliseconds: number): Promise<void> {
    if (this.#idle || milliseconds <= 0) return;
    const wait = this.#deadlines.wait(milliseconds);
    this.#onIdle = () => wait.end();
    await wait.over.catch(ignore);
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
      this.#drop(socket);
      return;
    }
    // A proxy is not counted as a client: those whom it brings are.
    const isProxy = this.#proxies?.includes(remote) ?? false;
    const client = isProxy ? undefined : networkOf(remote);
    if (!this.#admit(socket, remote, client)) return;
    const facts = { remote, local: this.#local(socket), tlsPolicy: this.tlsPolicy, keeper: this };
    if (isProxy) void this.#introduce(socket, facts);
    else this.#begin(socket, facts);
  }

  /** Counts the connection for the client, or turns it away. */
  #admit(socket: Socket, remote: Address, client: string | undefined): boolean {
    const excess = this.#limits.enter(client);
    if (excess === undefined) return true;
    // TLS comes before any words, and would cost more than we have to spare.
    if (this.tlsPolicy !== 'implicit') socket.write(this.#refusal(excess, remote));
    this.#drop(socket);
    this.#tell({ kind: 'refused', remote, excess });
    return false;
  }

  #refusal(excess: Excess, remote: Address): string {
    const { refusal = '' } = this.#options;
    try {
      return typeof refusal === 'string' ? refusal : refusal(excess, remote);
    } catch (error) {
      this.#tell({ kind: 'protocol', remote, error });
      return '';
    }
  }

  /** Hears from a proxy whose connection it is. */
  async #introduce(socket: Socket, facts: SocketFacts): Promise<void> {
    this.#expect(socket, undefined);
    try {
      const proxied = await this.#proxies?.hear(socket);
      const { source: remote, destination: local } = proxied?.connection ?? {
        source: facts.remote,
        destination: facts.local,
      };
      this.#limits.leave(this.#release(socket));
      if (this.#admit(socket, remote, networkOf(remote))) this.#begin(socket, { ...facts, remote, local, proxied });
    } catch (error) {
      socket.destroy();
      this.#tell({ kind: 'proxy', remote: facts.remote, error });
    }
  }

  #begin(socket: Socket, facts: SocketFacts): void {
    const { certificates } = this.#options;
    if (certificates === undefined || this.tlsPolicy === 'none') this.#converse(new SocketTransport(socket, facts));
    else if (this.tlsPolicy === 'implicit') void this.#secure(socket, facts, certificates);
    else this.#converse(new UpgradableTransport(socket, facts, certificates.secure));
  }

  async #secure(socket: Socket, facts: SocketFacts, certificates: Certificates): Promise<void> {
    this.#expect(socket, networkOf(facts.remote));
    try {
      const secured = await certificates.secure(socket);
      this.#release(socket);
      this.#converse(new SocketTransport(secured.socket, { ...facts, tls: secured.facts }));
    } catch (error) {
      this.#tell({ kind: 'handshake', remote: facts.remote, error });
    }
  }

  // Not an async function: its frame would be kept for as long as the connection, and most connections are idle.
  #converse(transport: SocketTransport): void {
    const conversation = new Conversation(transport, this.#conversation);
    this.#transports.add(transport);
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
    this.#protocols--;
    this.#checkIdle();
  }

  #fail(conversation: Conversation, error: unknown): void {
    conversation.destroy();
    const kind = error instanceof ConversationError ? 'conversation' : 'protocol';
    this.#tell({ kind, remote: conversation.transport.remote, error });
    this.#protocols--;
    this.#checkIdle();
  }

  /** Keeps a socket that is not a transport yet, and is counted for the client. */
  #expect(socket: Socket, client: string | undefined): void {
    this.#arriving.set(socket, client);
    // An error that nobody listens for would be everybody's.
    socket.on('error', ignore).on('close', this.#onSocketClose);
  }

  /** Hands the socket on; comes to the client that it was counted for. */
  #release(socket: Socket): string | undefined {
    const client = this.#arriving.get(socket);
    this.#arriving.delete(socket);
    socket.off('close', this.#onSocketClose);
    return client;
  }

  #drop(socket: Socket): void {
    socket.on('error', ignore).destroySoon();
  }

  #local(socket: Socket): Address {
    return this.#oneAddress ? this.address : (localAddress(socket) ?? this.address);
  }

  #tell(trouble: Trouble): void {
    tellTrouble(trouble, this.#options.onTrouble, this.#warnings);
  }
}

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === 'string') return unixAddress(address ?? '');
  return tcpAddress(address.address, address.port);
}

function ignore(): void {}

/** Milliseconds. */
const LAST_CALL = 1_000;
const CLEARING = 1_000;
