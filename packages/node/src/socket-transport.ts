import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  type Address,
  type MaybePromise,
  type MemoryAccount,
  PeerGone,
  type Standing,
  type TlsInfo,
  type TlsPolicy,
  type Transport,
  type TransportListener,
} from '@postern/conversation';
import type { ProxyHeader } from './proxy-header.ts';

const owner = Symbol('transport');
const receive = Symbol('receive');
const receiveEnd = Symbol('receiveEnd');
const fail = Symbol('fail');
const close = Symbol('close');

/** The properties of a connection that the socket itself does not have. */
export interface SocketInfo {
  readonly remote: Address;
  readonly local: Address;
  readonly tlsPolicy: TlsPolicy;
  /** The TLS of the connection: the socket's, or the one that a trusted proxy reports. */
  readonly tls?: TlsInfo | undefined;
  /** The PROXY header of a trusted proxy. */
  readonly proxied?: ProxyHeader | undefined;
  readonly observer?: TransportObserver | undefined;
}

/**
 * Is called for events of transports. One observer serves many: a callback for each would cost
 * memory.
 */
export interface TransportObserver {
  /** Is called once, when the transport is closed. */
  onClose(transport: SocketTransport): void;
  /** Is called when the protocol sets the standing of its client. */
  onStanding?(standing: Standing, transport: SocketTransport): void;
}

/** A socket after a TLS handshake. */
export interface SecuredSocket {
  readonly socket: TLSSocket;
  readonly tls: TlsInfo;
}

/**
 * Runs a TLS handshake with the peer on an open socket that has no other reader. A failure destroys
 * the socket.
 */
export type Secure = (socket: Socket, peer: Address) => Promise<SecuredSocket>;

/**
 * A TCP, UNIX or TLS socket as a transport. It reads ahead, up to a bound, so that it notices a
 * peer that disconnects. It accepts writes until about as many octets are unsent.
 */
export class SocketTransport implements Transport {
  readonly remote: Address;
  readonly local: Address;
  readonly tlsPolicy: TlsPolicy;
  /** The PROXY header of a trusted proxy, from which `remote` and `local` are. */
  readonly proxied: ProxyHeader | undefined;
  listener: TransportListener | undefined = undefined;
  /** The account that pays for the read-ahead. Without it only the transport's own bound holds. */
  memory: MemoryAccount | undefined = undefined;

  readonly #observer: TransportObserver | undefined;
  #socket: OwnedSocket;
  #tls: TlsInfo | undefined;

  /** The octets that were read ahead: the first chunk, and the chunks after it. */
  #chunk: Buffer | undefined = undefined;
  #more: Buffer[] = NO_CHUNKS;
  #unread = 0;
  /** The octets of read-ahead for which the memory account pays. */
  #reserved = 0;
  #isPaused = false;
  #hasEnded = false;
  /** True if the reader waits for input. */
  #isAwaited = false;

  #error: Error | undefined = undefined;
  /** True if this side called `destroy`. */
  #isDestroyed = false;
  #isClosed = false;
  #isUpgrading = false;

  /** The socket must be open, have `allowHalfOpen`, and no other listeners. */
  constructor(socket: Socket, info: SocketInfo) {
    this.remote = info.remote;
    this.local = info.local;
    this.tlsPolicy = info.tlsPolicy;
    this.proxied = info.proxied;
    this.#observer = info.observer;
    this.#tls = info.tls;
    this.#socket = socket;
    // Replies are written whole: Nagle's algorithm (RFC 9293 §3.7.4) would only delay them.
    if (info.remote.family !== 'unix') socket.setNoDelay(true);
    this.#adopt(socket);
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  read(): Uint8Array | 'later' | 'ended' {
    if (this.#chunk !== undefined) return this.#take(this.#chunk);
    if (this.#hasEnded && !this.#isDestroyed) return 'ended';
    if (this.#socket.destroyed) throw this.#gone();
    this.#isAwaited = true;
    return 'later';
  }

  write(bytes: Uint8Array | string): MaybePromise<void> {
    const socket = this.#socket;
    if (!socket.writable || this.#isUpgrading) return Promise.reject(this.#gone());
    socket.write(bytes);
    // The caller may reuse bytes that the kernel has; of a little text the socket has its own copy.
    if (socket.writableLength === 0 || (typeof bytes === 'string' && !socket.writableNeedDrain)) return;
    return this.#written(socket);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#forget();
    this.#socket.destroy();
  }

  setStanding(standing: Standing): void {
    this.#observer?.onStanding?.(standing, this);
  }

  /**
   * Starts TLS on the connection, after all writes. The octets that were read ahead are dropped.
   */
  protected async upgrade(secure: Secure): Promise<void> {
    if (this.#tls !== undefined || this.#isUpgrading) throw new TypeError('this transport has TLS already');
    if (!this.#socket.writable || this.#hasEnded) throw this.#gone();
    const raw = this.#socket;
    this.#isUpgrading = true;
    // Octets before the handshake are not protected, and must not count after it (RFC 3207 §4.2).
    raw.off('data', onData).off('end', onEnd).pause();
    while (raw.read() !== null);
    this.#forget();
    if (raw.writableLength > 0) await this.#written(raw);
    const { socket, tls } = await secure(raw, this.remote).catch((cause: unknown) => {
      raw.destroy();
      throw new PeerGone('the TLS handshake failed', { cause });
    });
    raw.off('close', onClose);
    this.#socket = socket;
    this.#tls = tls;
    this.#isPaused = false;
    this.#isUpgrading = false;
    this.#adopt(socket);
  }

  #adopt(socket: OwnedSocket): void {
    socket[owner] = this;
    socket.on('error', onError).on('end', onEnd).on('close', onClose).on('data', onData);
    socket.resume();
    // The caller of the constructor gets the transport before the event.
    if (socket.closed) queueMicrotask(() => this[close]());
  }

  /** @internal */
  [receive](chunk: Buffer): void {
    this.#keep(chunk);
    if (this.#isAwaited) {
      this.#notifyInput();
      return;
    }
    if (this.#unread < READ_AHEAD_OCTETS && this.#reserve(chunk.length)) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** Returns false if the budget has no memory to read ahead: then the peer waits. */
  #reserve(octets: number): boolean {
    if (this.memory === undefined) return true;
    if (!this.memory.reserve(octets)) return false;
    this.#reserved += octets;
    return true;
  }

  #unreserve(): void {
    if (this.#reserved === 0) return;
    this.memory?.release(this.#reserved);
    this.#reserved = 0;
  }

  #notifyInput(): void {
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    this.listener?.onInput();
  }

  #keep(chunk: Buffer): void {
    this.#unread += chunk.length;
    if (this.#chunk === undefined) {
      this.#chunk = chunk;
      return;
    }
    if (this.#more === NO_CHUNKS) this.#more = [];
    // One octet in a buffer of its own takes a hundred: without merging, a peer could occupy far
    // more than it sent.
    const last = this.#more.length - 1;
    const previous = this.#more[last];
    if (previous !== undefined && previous.length + chunk.length <= MAX_MERGED_OCTETS) {
      this.#more[last] = Buffer.concat([previous, chunk]);
    } else this.#more.push(chunk);
  }

  #take(chunk: Buffer): Buffer {
    this.#unread -= chunk.length;
    this.#chunk = this.#more === NO_CHUNKS ? undefined : this.#more.shift();
    if (this.#chunk !== undefined) return chunk;
    this.#more = NO_CHUNKS;
    this.#unreserve();
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    // The reader gets the last chunk before the event.
    if (this.#hasEnded) queueMicrotask(() => this.listener?.onEnd());
    return chunk;
  }

  /** @internal */
  [receiveEnd](): void {
    this.#hasEnded = true;
    this.#notifyInput();
    if (this.#unread === 0) this.listener?.onEnd();
  }

  /** @internal */
  [fail](error: Error): void {
    this.#error ??= error;
    // A TLS socket with a protocol error would stay open.
    this.#socket.destroy();
  }

  /** @internal */
  [close](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#notifyInput();
    this.#observer?.onClose(this);
    this.listener?.onClose();
  }

  /** Resolves when the kernel has all octets that were written so far. */
  #written(socket: Socket): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.write('', (error) => (error ? reject(this.#gone(error)) : resolve()));
    return promise;
  }

  #forget(): void {
    this.#chunk = undefined;
    this.#more = NO_CHUNKS;
    this.#unread = 0;
    this.#unreserve();
  }

  #gone(cause: Error | undefined = this.#error): PeerGone {
    return new PeerGone('the connection is closed', { cause });
  }
}

/** A socket transport on which TLS can be started once, by STARTTLS or STLS. */
export class UpgradableTransport extends SocketTransport {
  readonly #secure: Secure;

  constructor(socket: Socket, info: SocketInfo, secure: Secure) {
    super(socket, info);
    this.#secure = secure;
  }

  startTls(): Promise<void> {
    return this.upgrade(this.#secure);
  }
}

/**
 * A socket that knows its transport, so that all sockets share four event listeners: closures for
 * each would be larger than the transport.
 */
interface OwnedSocket extends Socket {
  [owner]?: SocketTransport;
}

function onData(this: OwnedSocket, chunk: Buffer): void {
  this[owner]?.[receive](chunk);
}

function onEnd(this: OwnedSocket): void {
  this[owner]?.[receiveEnd]();
}

function onError(this: OwnedSocket, error: Error): void {
  this[owner]?.[fail](error);
}

function onClose(this: OwnedSocket): void {
  this[owner]?.[close]();
}

/** The empty queue of all transports, which is never written to. */
const NO_CHUNKS: Buffer[] = [];

/**
 * The octets that are read before the reader wants them, beside those in the socket's own buffer.
 */
const READ_AHEAD_OCTETS = 64 * 1024;
/** Chunks are merged up to this size. */
const MAX_MERGED_OCTETS = 2048;

/**
 * The octets that a socket buffers each way before it applies back-pressure. A peer would need
 * longer to fill Node's 64 KiB.
 */
export const SOCKET_BUFFER_OCTETS = 16 * 1024;
