import type { Address, MaybePromise, TlsInfo } from '@postern/core';
import type { MemoryAccount } from './memory-budget.ts';

/**
 * The use of TLS at an endpoint: from the first octet (`implicit`), by STARTTLS before any login or
 * message (`required`), by STARTTLS if the client asks (`offered`), or never (`none`).
 */
export type TlsPolicy = 'implicit' | 'required' | 'offered' | 'none';

/**
 * The rank of a peer when a server runs out of connections. The server closes the oldest
 * `unauthenticated` first, then a `busy` peer, which is sending a message. A `authenticated` peer
 * has logged in and stays.
 */
export type Standing = 'unauthenticated' | 'busy' | 'authenticated';

/**
 * The octets of a connection, in both directions. Sockets and memory implement it. One reader and
 * one writer use it.
 */
export interface Transport {
  readonly remote: Address;
  readonly local: Address;
  readonly tlsPolicy: TlsPolicy;
  /** The TLS session; undefined without TLS. Changes when `startTls` resolves. */
  readonly tls: TlsInfo | undefined;

  /**
   * Returns the next octets, at least one. The reader owns them and may overwrite them. Returns
   * `later` if none have arrived: the transport then calls `listener.onInput`. Returns `ended` once
   * the peer has ended its side.
   *
   * @throws Error if the connection broke or {@link destroy} was called
   */
  read(): Uint8Array | 'later' | 'ended';

  /** The account that pays for the read-ahead. Absent without a read-ahead. */
  memory?: MemoryAccount | undefined;

  /** The receiver of the transport's events. */
  listener: TransportListener | undefined;

  /**
   * Writes octets, or text as UTF-8. If the result is a promise, the caller waits for it before the
   * next write. The promise rejects if the connection breaks.
   */
  write(bytes: Uint8Array | string): MaybePromise<void>;

  /**
   * Ends this side after everything written has been sent. The peer may still send. The connection
   * closes when both sides have ended.
   */
  end(): void;

  /** Closes the connection at once and discards what has not been sent. */
  destroy(): void;

  /**
   * Reports the rank of the peer to the server that accepted the connection. Absent where no
   * server limits connections.
   */
  setStanding?(standing: Standing): void;

  /**
   * Starts TLS on the open connection and discards octets that no read has returned. Resolves after
   * the handshake. Absent without TLS.
   */
  startTls?(): Promise<void>;
}

/**
 * The receiver of a transport's events. The transport never calls it from within a call of the
 * receiver.
 */
export interface TransportListener {
  /**
   * Called after a read that returned `later`, when the next read returns octets or `ended`, or
   * throws.
   */
  onInput(): void;
  /** Called once, when the peer has ended its side and all its octets have been read. */
  onEnd(): void;
  /** Called once, when the connection has closed. */
  onClose(): void;
  /** Called by the server to end the wait for input, if there is one, with the reason. */
  interrupt(reason: Error): void;
}
