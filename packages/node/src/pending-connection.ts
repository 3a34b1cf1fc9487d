import type { Socket } from 'node:net';
import { type Address, Displaced, type Standing } from '@postern/conversation';
import { ConnectionSlot } from './connection-slots.ts';
import type { SocketTransport, TransportKeeper } from './socket-transport.ts';

/** What a listener does for its visits: one object for all of them. */
export interface PendingConnectionKeeper {
  moved(visit: PendingConnection, standing: Standing): void;
  displaced(visit: PendingConnection): void;
  gone(visit: PendingConnection): void;
}

/** One connection at a listener, from the accept until the close: first a socket, later its transport. */
export class PendingConnection extends ConnectionSlot implements TransportKeeper {
  /** The client; a proxy, until it has named the client. */
  remote: Address;
  /** The network that the visit is counted for; undefined for a proxy. */
  network: string | undefined;
  readonly #keeper: PendingConnectionKeeper;
  #socket: Socket | undefined;
  /** Undefined until the PROXY header and the TLS handshake are over, where they come first. */
  #transport: SocketTransport | undefined = undefined;

  constructor(socket: Socket, remote: Address, network: string | undefined, keeper: PendingConnectionKeeper) {
    super();
    this.remote = remote;
    this.network = network;
    this.#keeper = keeper;
    this.#socket = socket;
  }

  override get isConversing(): boolean {
    return this.#transport !== undefined;
  }

  /** Watches the socket while no transport does. Returns the end of that. */
  watch(): () => void {
    const socket = this.#socket;
    const onClose = () => this.gone();
    // An error without a listener would end the process.
    socket?.on('error', ignore).on('close', onClose);
    return () => void socket?.off('close', onClose);
  }

  /** Lets the transport take over: it watches its socket. */
  become(transport: SocketTransport): void {
    this.#transport = transport;
    this.#socket = undefined;
  }

  override interrupt(reason: Error): void {
    this.#transport?.listener?.interrupt(reason);
  }

  override displace(): void {
    if (this.isConversing) this.interrupt(new Displaced());
    else this.destroy();
    this.#keeper.displaced(this);
  }

  override destroy(): void {
    this.#socket?.destroy();
    this.#transport?.destroy();
  }

  setStanding(standing: Standing): void {
    this.#keeper.moved(this, standing);
  }

  gone(): void {
    this.#keeper.gone(this);
  }
}

function ignore(): void {}
