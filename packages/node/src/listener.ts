import type { Server, Socket } from 'node:net';
import {
  type Address,
  Conversation,
  ConversationError,
  type ConversationOptions,
  Deadlines,
  type TlsPolicy,
} from '@postern/conversation';
import { localAddress, remoteAddress, tcpAddress, unixAddress } from './address.ts';
import { ClientLimits, clientOf, type Excess } from './client-limits.ts';
import { formatEndpoint } from './endpoint.ts';
import type { ListenOptions } from './listen-options.ts';
import { type SocketFacts, SocketTransport, UpgradableTransport } from './socket-transport.ts';
import { type Trouble, tellTrouble } from './trouble.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** A server that listens, and the conversations with all who have come. {@link listen} makes it. */
export class Listener implements AsyncDisposable {
  readonly tlsPolicy: TlsPolicy;
  readonly #server: Server;
  readonly #options: ListenOptions;
  readonly #limits: ClientLimits;
  readonly #proxies: TrustedProxies | undefined;
  readonly #deadlines: Deadlines;
  readonly #conversation: ConversationOptions;
  readonly #closing = new AbortController();
  /** The open sockets, and whom each is counted for. */
  readonly #open = new Map<Socket, string | undefined>();
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
    this.#conversation = { ...options.conversation, deadlines: this.#deadlines, closing: this.#closing.signal };
    const leave = (socket: Socket) => this.#leave(socket);
    this.#onSocketClose = function () {
      leave(this);
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
    return this.#open.size;
  }

  /**
   * Stops accepting, aborts the conversations' `closing`, waits until all have taken leave, at most `grace` milliseconds (10,000 by
   * default), and then closes the rest at once.
   */
  close({ grace = 10_000 }: { readonly grace?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(grace);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(grace: number): Promise<void> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#closing.abort();
    if (!this.#idle && grace > 0) {
      const wait = this.#deadlines.wait(grace);
      this.#onIdle = () => wait.end();
      await wait.over.catch(ignore);
    }
    for (const socket of this.#open.keys()) socket.destroy();
    await closed;
  }

  get #idle(): boolean {
    return this.#open.size === 0 && this.#protocols === 0;
  }

  #accept(socket: Socket): void {
    // An error that nobody listens for would be everybody's.
    socket.on('error', ignore);
    const remote = 'path' in this.#options.endpoint ? unixAddress('') : remoteAddress(socket);
    if (remote === undefined) {
      socket.destroy();
      return;
    }
    // A proxy is not counted as a client: those whom it brings are.
    const isProxy = this.#proxies?.includes(remote) ?? false;
    if (!this.#admit(socket, remote, isProxy ? undefined : clientOf(remote))) return;
    socket.on('close', this.#onSocketClose);
    const facts = { remote, local: this.#local(socket), tlsPolicy: this.tlsPolicy };
    if (isProxy) void this.#introduce(socket, facts);
    else this.#begin(socket, facts);
  }

  /** Counts the connection for the client, or turns it away. */
  #admit(socket: Socket, remote: Address, client: string | undefined): boolean {
    const excess = this.#limits.enter(client);
    if (excess === undefined) this.#open.set(socket, client);
    else this.#refuse(socket, remote, excess);
    return excess === undefined;
  }

  /** Hears from a proxy whose connection it is. */
  async #introduce(socket: Socket, facts: SocketFacts): Promise<void> {
    try {
      const proxied = await this.#proxies?.hear(socket);
      const { source: remote, destination: local } = proxied?.connection ?? {
        source: facts.remote,
        destination: facts.local,
      };
      if (proxied?.connection !== undefined) {
        this.#leave(socket);
        if (!this.#admit(socket, remote, clientOf(remote))) return;
      }
      this.#begin(socket, { ...facts, remote, local, proxied });
    } catch (error) {
      socket.destroy();
      this.#tell({ kind: 'proxy', remote: facts.remote, error });
    }
  }

  #begin(socket: Socket, facts: SocketFacts): void {
    if (this.tlsPolicy === 'implicit') void this.#secure(socket, facts);
    else void this.#converse(this.#transport(socket, facts));
  }

  #transport(socket: Socket, facts: SocketFacts): SocketTransport {
    const { certificates } = this.#options;
    if (this.tlsPolicy === 'none' || certificates === undefined) return new SocketTransport(socket, facts);
    return new UpgradableTransport(socket, facts, certificates.secure);
  }

  async #secure(socket: Socket, facts: SocketFacts): Promise<void> {
    try {
      const secured = await this.#options.certificates?.secure(socket);
      if (secured === undefined) return;
      void this.#converse(new SocketTransport(secured.socket, { ...facts, tls: secured.facts }));
    } catch (error) {
      this.#tell({ kind: 'handshake', remote: facts.remote, error });
    }
  }

  async #converse(transport: SocketTransport): Promise<void> {
    const conversation = new Conversation(transport, this.#conversation);
    this.#protocols++;
    try {
      await this.#options.protocol(conversation);
      await conversation.close();
    } catch (error) {
      conversation.destroy();
      const kind = error instanceof ConversationError ? 'conversation' : 'protocol';
      this.#tell({ kind, remote: transport.remote, error });
    } finally {
      this.#protocols--;
      if (this.#idle) this.#onIdle?.();
    }
  }

  #refuse(socket: Socket, remote: Address, excess: Excess): void {
    const { refusal = '' } = this.#options;
    if (this.tlsPolicy !== 'implicit') socket.write(typeof refusal === 'string' ? refusal : refusal(excess, remote));
    socket.destroySoon();
    this.#tell({ kind: 'refused', remote, excess });
  }

  #leave(socket: Socket): void {
    if (!this.#open.has(socket)) return;
    this.#limits.leave(this.#open.get(socket));
    this.#open.delete(socket);
    if (this.#idle) this.#onIdle?.();
  }

  #local(socket: Socket): Address {
    return this.#oneAddress ? this.address : (localAddress(socket) ?? this.address);
  }

  #tell(trouble: Trouble): void {
    tellTrouble(trouble, this.#options.onTrouble);
  }
}

function addressOf(server: Server): Address {
  const address = server.address();
  if (address === null || typeof address === 'string') return unixAddress(address ?? '');
  return tcpAddress(address.address, address.port);
}

function ignore(): void {}
