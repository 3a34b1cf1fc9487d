import type { Address, MaybePromise, TlsInfo, TlsPolicy, Transport, TransportListener } from '@postern/conversation';
import { Slicer, type Slicing } from './slicing.ts';

/** The options of a connection in memory. */
export interface MemoryPipeOptions {
  /** The pieces in which bytes arrive at the other end. Default: `whole`. */
  readonly chunks?: Slicing;
  /** The unread octets at one end from which on a write waits. Default: 65,536. */
  readonly highWaterMark?: number;
  /** The client's address. Default: 192.0.2.1 port 40000, which is another machine. */
  readonly client?: Address;
  /** The server's address. Default: 192.0.2.25 port 587. */
  readonly server?: Address;
  /**
   * `offered` and `required` have `startTls`; `implicit` has TLS from the start. Default: `none`.
   */
  readonly tlsPolicy?: TlsPolicy;
  /** Replaces properties of the TLS: TLS 1.3 without a client certificate. */
  readonly tls?: Partial<TlsInfo>;
}

/** The two ends of a connection in memory. */
export interface MemoryPipe {
  readonly client: MemoryTransport;
  readonly server: MemoryTransport;
}

/**
 * Makes a connection in memory. Bytes that one end writes arrive at the other end.
 *
 * @example
 * ```ts
 * import { memoryPipe, readChunk } from '@postern/testing';
 *
 * const { client, server } = memoryPipe();
 * await client.write('QUIT\r\n');
 * const bytes = await readChunk(server);
 * ```
 */
export function memoryPipe(options: MemoryPipeOptions = {}): MemoryPipe {
  const { client = CLIENT, server = SERVER } = options;
  const clientEnd = new MemoryTransport(client, server, options);
  return { client: clientEnd, server: new MemoryTransport(server, client, options, clientEnd) };
}

/** One end of a connection in memory. */
export class MemoryTransport implements Transport {
  readonly local: Address;
  readonly remote: Address;
  readonly tlsPolicy: TlsPolicy;
  listener: TransportListener | undefined;
  startTls?: () => Promise<void>;
  readonly #highWaterMark: number;
  readonly #slicer: Slicer;
  readonly #tlsInfo: TlsInfo;
  #peer!: MemoryTransport;
  #tls: TlsInfo | undefined;

  /** The unread bytes that the peer has written. */
  readonly #incoming: Buffer[] = [];
  #unread = 0;
  /** True after a read that returned `later`, until `onInput` is called. */
  #isAwaited = false;
  /** True while the next piece is delayed by a microtask. */
  #isDelayed = false;
  /** The peer's write that waits until enough bytes are read. */
  #draining: PromiseWithResolvers<void> | undefined;
  #handshake: PromiseWithResolvers<void> | undefined;
  #ended = false;
  #peerEnded = false;
  /** True once a read has returned `ended`. */
  #sawEnd = false;
  #calledOnEnd = false;
  #closed: Error | undefined;

  constructor(local: Address, remote: Address, options: MemoryPipeOptions, peer?: MemoryTransport) {
    const { chunks = 'whole', highWaterMark = 65_536, tlsPolicy = 'none', tls } = options;
    if (peer !== undefined) {
      this.#peer = peer;
      peer.#peer = this;
    }
    this.local = local;
    this.remote = remote;
    this.tlsPolicy = tlsPolicy;
    this.#highWaterMark = highWaterMark;
    this.#slicer = new Slicer(chunks);
    this.#tlsInfo = { ...DEFAULT_TLS, ...tls };
    if (tlsPolicy === 'implicit') this.#tls = this.#tlsInfo;
    if (tlsPolicy === 'offered' || tlsPolicy === 'required') this.startTls = () => this.#startTls();
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  /** The number of unread octets that the peer has written. */
  get unread(): number {
    return this.#unread;
  }

  /** True once the connection is gone for this end. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  read(): Uint8Array | 'later' | 'ended' {
    if (this.#sawEnd) return 'ended';
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#unread === 0 && this.#peerEnded) return this.#seeEnd();
    if (this.#unread === 0 || this.#isDelayed) {
      this.#isAwaited = true;
      return 'later';
    }
    const chunk = this.#next();
    // As pieces that come one by one do it.
    if (!this.#slicer.atOnce) this.#delay();
    this.#callOnEnd();
    return chunk;
  }

  write(bytes: Uint8Array | string): MaybePromise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#ended) return Promise.reject(new TypeError('this side has ended'));
    const peer = this.#peer;
    if (peer.#closed !== undefined) {
      this.#close(broken('EPIPE'));
      return Promise.reject(broken('EPIPE'));
    }
    return peer.#receive(Buffer.from(bytes));
  }

  end(): void {
    if (this.#ended || this.#closed !== undefined) return;
    this.#ended = true;
    this.#peer.#receiveEnd();
    this.#closeIfBothEnded();
  }

  destroy(): void {
    if (this.#closed !== undefined) return;
    // As in TCP: a close with unread bytes resets the connection.
    if (this.#unread > 0) this.reset();
    else {
      this.#close(broken('ERR_STREAM_DESTROYED'));
      this.#peer.#receiveEnd();
    }
  }

  /** Breaks the connection: the peer loses its unread bytes, and its reads and writes fail. */
  reset(): void {
    this.#close(broken('ERR_STREAM_DESTROYED'));
    this.#peer.#close(broken('ECONNRESET'));
  }

  #receive(bytes: Buffer): MaybePromise<void> {
    if (bytes.length === 0) return;
    if (this.#handshake !== undefined) {
      this.reset();
      return Promise.reject(broken('EPROTO'));
    }
    this.#incoming.push(bytes);
    this.#unread += bytes.length;
    this.#callOnInput();
    if (this.#unread < this.#highWaterMark) return;
    this.#draining ??= Promise.withResolvers();
    return this.#draining.promise;
  }

  #receiveEnd(): void {
    if (this.#peerEnded || this.#closed !== undefined) return;
    this.#peerEnded = true;
    if (this.#handshake !== undefined) this.#close(broken('ECONNRESET'));
    this.#callOnEnd();
    this.#callOnInput();
  }

  /** Calls `onInput` in a microtask: the peer's `write` has to return first. */
  #callOnInput(): void {
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    queueMicrotask(() => this.listener?.onInput());
  }

  /** Delays the next piece by a microtask. */
  #delay(): void {
    this.#isDelayed = true;
    queueMicrotask(() => {
      this.#isDelayed = false;
      if (this.#unread > 0) this.#callOnInput();
    });
  }

  #seeEnd(): 'ended' {
    this.#sawEnd = true;
    this.#closeIfBothEnded();
    return 'ended';
  }

  #next(): Uint8Array {
    const first = this.#incoming[0] as Buffer;
    const size = this.#slicer.next(first.length);
    const chunk = first.subarray(0, size);
    if (size < first.length) this.#incoming[0] = first.subarray(size);
    else this.#incoming.shift();
    this.#unread -= size;
    if (this.#unread < this.#highWaterMark) {
      this.#draining?.resolve();
      this.#draining = undefined;
    }
    return chunk;
  }

  #callOnEnd(): void {
    if (!this.#peerEnded || this.#unread > 0 || this.#calledOnEnd || this.#closed !== undefined) return;
    this.#calledOnEnd = true;
    queueMicrotask(() => this.listener?.onEnd());
  }

  #closeIfBothEnded(): void {
    if (this.#ended && this.#sawEnd) this.#close(broken('ERR_STREAM_DESTROYED'));
  }

  #close(reason: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#incoming.length = 0;
    this.#unread = 0;
    this.#callOnInput();
    this.#handshake?.reject(reason);
    this.#draining?.reject(broken('EPIPE'));
    this.#peer.#draining?.reject(reason);
    queueMicrotask(() => this.listener?.onClose());
  }

  /** Resolves when both ends have called it. */
  #startTls(): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#tls !== undefined || this.#handshake !== undefined) return Promise.reject(new TypeError('TLS is up'));
    this.#drop();
    this.#handshake = Promise.withResolvers();
    const { promise } = this.#handshake;
    if (this.#peerEnded) this.#close(broken('ECONNRESET'));
    else if (this.#peer.#handshake !== undefined) {
      this.#secure();
      this.#peer.#secure();
    }
    return promise;
  }

  #secure(): void {
    this.#tls = this.#tlsInfo;
    this.#handshake?.resolve();
    this.#handshake = undefined;
  }

  #drop(): void {
    this.#incoming.length = 0;
    this.#unread = 0;
    this.#draining?.resolve();
    this.#draining = undefined;
  }
}

function broken(code: string): Error {
  return Object.assign(new Error(`the connection in memory broke: ${code}`), { code });
}

const CLIENT: Address = { family: 'IPv4', address: '192.0.2.1', port: 40_000 };
const SERVER: Address = { family: 'IPv4', address: '192.0.2.25', port: 587 };

const DEFAULT_TLS: TlsInfo = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  serverName: undefined,
  peerCertificate: undefined,
  channelBinding: (type) => (type === 'tls-exporter' ? new Uint8Array(32).fill(0x5a) : undefined),
};
