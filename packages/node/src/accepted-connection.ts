import type { Socket } from 'node:net';
import { type Address, Displaced, type Standing } from '@postern/conversation';
import { SlotHolder } from './connection-slots.ts';
import type { SocketTransport, TransportObserver } from './socket-transport.ts';

/** A listener as its connections see it: one object for all of them. */
export interface ConnectionObserver {
  onStanding(connection: AcceptedConnection, standing: Standing): void;
  onDisplaced(connection: AcceptedConnection): void;
  onClose(connection: AcceptedConnection): void;
}

/**
 * One connection of a listener, from the accept until the close: first a socket, later its
 * transport.
 */
export class AcceptedConnection extends SlotHolder implements TransportObserver {
  /** The client's address; the proxy's, until the proxy has named the client. */
  remote: Address;
  /** The network for which the connection counts; undefined for a proxy. */
  network: string | undefined;
  readonly #observer: ConnectionObserver;
  #socket: Socket | undefined;
  /**
   * Undefined until the PROXY header and the TLS handshake are over, where the connection begins
   * with them.
   */
  #transport: SocketTransport | undefined = undefined;

  constructor(socket: Socket, remote: Address, network: string | undefined, observer: ConnectionObserver) {
    super();
    this.remote = remote;
    this.network = network;
    this.#observer = observer;
    this.#socket = socket;
  }

  override get isConversing(): boolean {
    return this.#transport !== undefined;
  }

  /** Watches the socket while no transport does. Returns a function that ends the watch. */
  watch(): () => void {
    const socket = this.#socket;
    const onClose = () => this.onClose();
    // An error without a listener would end the process.
    socket?.on('error', ignore).on('close', onClose);
    return () => void socket?.off('close', onClose);
  }

  /** Replaces the socket by its transport, which watches the socket from here on. */
  attach(transport: SocketTransport): void {
    this.#transport = transport;
    this.#socket = undefined;
  }

  override interrupt(reason: Error): void {
    this.#transport?.listener?.interrupt(reason);
  }

  override displace(): void {
    if (this.isConversing) this.interrupt(new Displaced());
    else this.destroy();
    this.#observer.onDisplaced(this);
  }

  override destroy(): void {
    this.#socket?.destroy();
    this.#transport?.destroy();
  }

  onStanding(standing: Standing): void {
    this.#observer.onStanding(this, standing);
  }

  onClose(): void {
    this.#observer.onClose(this);
  }
}

function ignore(): void {}
