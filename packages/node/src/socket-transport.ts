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
const heard = Symbol('heard');
const ended = Symbol('ended');
const broke = Symbol('broke');
const closed = Symbol('closed');

/** What a socket does not tell of itself. */
export interface SocketInfo {
  readonly remote: Address;
  readonly local: Address;
  readonly tlsPolicy: TlsPolicy;
  /** What is known of the TLS that the socket has already. */
  readonly tls?: TlsInfo | undefined;
  /** What a trusted proxy said of the connection. */
  readonly proxied?: ProxyHeader | undefined;
  /** Who counts the transport. */
  readonly keeper?: TransportKeeper | undefined;
}

/** Hears of transports that are gone for good: one for many, where a callback for each would cost memory. */
export interface TransportKeeper {
  gone(transport: SocketTransport): void;
  /** Hears what the protocol knows of the peer now. */
  setStanding?(standing: Standing, transport: SocketTransport): void;
}

/** A socket with TLS on it, and what is known of it. */
export interface SecuredSocket {
  readonly socket: TLSSocket;
  readonly facts: TlsInfo;
}

/** Starts TLS with the client on an open socket, which nobody else reads; destroys it if that fails. */
export type Secure = (socket: Socket, client: Address) => Promise<SecuredSocket>;

/**
 * A TCP, UNIX or TLS socket as a transport. Reads ahead up to a bound, so that it notices a peer that leaves, and takes what is written
 * until about as much lies unsent.
 */
export class SocketTransport implements Transport {
  readonly remote: Address;
  readonly local: Address;
  readonly tlsPolicy: TlsPolicy;
  /** What a trusted proxy said of the connection; the two addresses are from there then. */
  readonly proxied: ProxyHeader | undefined;
  listener: TransportListener | undefined = undefined;
  /** What the connection's read-ahead counts against. Without it only the bound of the transport holds. */
  memory: MemoryAccount | undefined = undefined;

  readonly #keeper: TransportKeeper | undefined;
  #socket: Owned;
  #tls: TlsInfo | undefined;

  /** What was read and not taken: the first piece, and the others. */
  #chunk: Buffer | undefined = undefined;
  #more: Buffer[] = NOTHING;
  #unread = 0;
  /** Octets of read-ahead that the memory account counts. */
  #reserved = 0;
  #paused = false;
  #ended = false;
  /** True if somebody waits for input. */
  #awaited = false;

  #error: Error | undefined = undefined;
  /** True if it was us who closed it at once. */
  #destroyed = false;
  #closed = false;
  #upgrading = false;

  /** The socket must be open, without anybody else's interest in its events, and `allowHalfOpen`. */
  constructor(socket: Socket, facts: SocketInfo) {
    this.remote = facts.remote;
    this.local = facts.local;
    this.tlsPolicy = facts.tlsPolicy;
    this.proxied = facts.proxied;
    this.#keeper = facts.keeper;
    this.#tls = facts.tls;
    this.#socket = socket;
    // Replies are written whole: waiting for more to fill a segment is waiting for nothing.
    if (facts.remote.family !== 'unix') socket.setNoDelay(true);
    this.#adopt(socket);
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  read(): Uint8Array | 'later' | 'ended' {
    if (this.#chunk !== undefined) return this.#take(this.#chunk);
    if (this.#ended && !this.#destroyed) return 'ended';
    if (this.#socket.destroyed) throw this.#gone();
    this.#awaited = true;
    return 'later';
  }

  write(bytes: Uint8Array | string): MaybePromise<void> {
    const socket = this.#socket;
    if (!socket.writable || this.#upgrading) return Promise.reject(this.#gone());
    socket.write(bytes);
    // What the kernel has taken is not waited for, however much it was; nor is a little text, of which the socket has its own copy.
    if (socket.writableLength === 0 || (typeof bytes === 'string' && !socket.writableNeedDrain)) return;
    return this.#written(socket);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#forget();
    this.#socket.destroy();
  }

  setStanding(standing: Standing): void {
    this.#keeper?.setStanding?.(standing, this);
  }

  /** Puts TLS on the connection. What was read and not taken is dropped; what was written leaves before. */
  protected async upgrade(secure: Secure): Promise<void> {
    if (this.#tls !== undefined || this.#upgrading) throw new TypeError('this transport has TLS already');
    if (!this.#socket.writable || this.#ended) throw this.#gone();
    const raw = this.#socket;
    this.#upgrading = true;
    // What came so far was not protected (RFC 3207 §4.2); what comes from here on is for the handshake.
    raw.off('data', onData).off('end', onEnd).pause();
    while (raw.read() !== null);
    this.#forget();
    if (raw.writableLength > 0) await this.#written(raw);
    const { socket, facts } = await secure(raw, this.remote).catch((cause: unknown) => {
      raw.destroy();
      throw new PeerGone('the TLS handshake failed', { cause });
    });
    raw.off('close', onClose);
    this.#socket = socket;
    this.#tls = facts;
    this.#paused = false;
    this.#upgrading = false;
    this.#adopt(socket);
  }

  #adopt(socket: Owned): void {
    socket[owner] = this;
    socket.on('error', onError).on('end', onEnd).on('close', onClose).on('data', onData);
    socket.resume();
    // Not before whoever made the transport has it.
    if (socket.closed) queueMicrotask(() => this[closed]());
  }

  /** @internal */
  [heard](chunk: Buffer): void {
    this.#keep(chunk);
    if (this.#awaited) {
      this.#tellInput();
      return;
    }
    if (this.#unread < READ_AHEAD && this.#reserve(chunk.length)) return;
    this.#paused = true;
    this.#socket.pause();
  }

  /** False if there is no memory to read ahead: then the peer waits. */
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

  #tellInput(): void {
    if (!this.#awaited) return;
    this.#awaited = false;
    this.listener?.onInput();
  }

  #keep(chunk: Buffer): void {
    this.#unread += chunk.length;
    if (this.#chunk === undefined) {
      this.#chunk = chunk;
      return;
    }
    if (this.#more === NOTHING) this.#more = [];
    // A byte in a buffer of its own takes a hundred: crumbs are put together, or a peer could make us keep far more than it sent.
    const last = this.#more.length - 1;
    const before = this.#more[last];
    if (before !== undefined && before.length + chunk.length <= CRUMB)
      this.#more[last] = Buffer.concat([before, chunk]);
    else this.#more.push(chunk);
  }

  #take(chunk: Buffer): Buffer {
    this.#unread -= chunk.length;
    this.#chunk = this.#more === NOTHING ? undefined : this.#more.shift();
    if (this.#chunk !== undefined) return chunk;
    this.#more = NOTHING;
    this.#unreserve();
    if (this.#paused) {
      this.#paused = false;
      this.#socket.resume();
    }
    if (this.#ended) this.#tellEnd();
    return chunk;
  }

  /** @internal */
  [ended](): void {
    this.#ended = true;
    this.#tellInput();
    if (this.#unread === 0) this.#tellEnd();
  }

  /** Not before the reader has the last chunk in its hands. */
  #tellEnd(): void {
    queueMicrotask(() => this.listener?.onEnd());
  }

  /** @internal */
  [broke](error: Error): void {
    this.#error ??= error;
    // A TLS socket that has heard something broken would stay open.
    this.#socket.destroy();
  }

  /** @internal */
  [closed](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tellInput();
    this.#keeper?.gone(this);
    this.listener?.onClose();
  }

  /** Resolves when the kernel has all that was written so far. */
  #written(socket: Socket): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.write('', (error) => (error ? reject(this.#gone(error)) : resolve()));
    return promise;
  }

  #forget(): void {
    this.#chunk = undefined;
    this.#more = NOTHING;
    this.#unread = 0;
    this.#unreserve();
  }

  #gone(cause: Error | undefined = this.#error): PeerGone {
    return new PeerGone('the connection is closed', { cause });
  }
}

/** A socket transport on which TLS can be started (STARTTLS, STLS), as often as once. */
export class UpgradableTransport extends SocketTransport {
  readonly #secure: Secure;

  constructor(socket: Socket, facts: SocketInfo, secure: Secure) {
    super(socket, facts);
    this.#secure = secure;
  }

  startTls(): Promise<void> {
    return this.upgrade(this.#secure);
  }
}

/** A socket that knows whose it is, so that all sockets share their listeners: closures for each would be larger than the transport. */
interface Owned extends Socket {
  [owner]?: SocketTransport;
}

function onData(this: Owned, chunk: Buffer): void {
  this[owner]?.[heard](chunk);
}

function onEnd(this: Owned): void {
  this[owner]?.[ended]();
}

function onError(this: Owned, error: Error): void {
  this[owner]?.[broke](error);
}

function onClose(this: Owned): void {
  this[owner]?.[closed]();
}

/** What an empty queue is; never written to. */
const NOTHING: Buffer[] = [];

/** How much is read before somebody wants it, beside what lies in the socket's own buffer: octets. */
const READ_AHEAD = 64 * 1024;
/** Pieces are put together up to this size: octets. */
const CRUMB = 2048;

/** For whoever makes sockets: how much each keeps, each way, before it asks to wait, in octets. Node's 64 KiB are more to fill for a peer. */
export const SOCKET_BUFFER = 16 * 1024;
