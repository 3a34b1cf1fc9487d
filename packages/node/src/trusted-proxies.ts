import type { Socket } from 'node:net';
import type { Address } from '@postern/conversation';
import { networks } from './networks.ts';
import { InvalidProxyHeader } from './proxy-additions.ts';
import { type ProxyHeader, parseProxyHeader } from './proxy-header.ts';

/** The proxies whose PROXY headers the listener trusts. */
export interface ProxyOptions {
  /**
   * Addresses (`192.0.2.1`), networks (`10.0.0.0/8`, `2001:db8::/32`), and `unix` for all peers on
   * UNIX sockets. Each connection of such a peer begins with a PROXY header, before TLS. The header
   * names the client, and may report the client's TLS. For all other peers the header is an
   * ordinary line.
   */
  readonly from: readonly string[];
  /** Milliseconds for the header. Default: 5,000. */
  readonly timeout?: number;
}

/** Recognizes trusted proxies and reads their headers. */
export class TrustedProxies {
  /** Returns true for a trusted proxy. */
  readonly includes: (peer: Address) => boolean;
  readonly #timeout: number;

  /** @throws TypeError that names an entry of `from` which is neither an address nor a network. */
  constructor({ from, timeout = 5_000 }: ProxyOptions) {
    this.#timeout = timeout;
    this.includes = networks(from);
  }

  /**
   * Reads the header from the socket, and no octet after it. Then the socket is paused.
   *
   * @throws InvalidProxyHeader if the header is malformed, is late, or the connection ends before
   * it does.
   */
  async readHeader(socket: Socket): Promise<ProxyHeader> {
    const { promise, resolve, reject } = Promise.withResolvers<ProxyHeader>();
    let received: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      try {
        const parsed = parseProxyHeader(received);
        if (parsed === undefined) return;
        socket.pause().off('data', onData);
        if (received.length > parsed.length) socket.unshift(received.subarray(parsed.length));
        resolve(parsed.header);
      } catch (error) {
        reject(error);
      }
    };
    const onEnd = () => reject(new InvalidProxyHeader('the connection ended before the header did'));
    const timer = setTimeout(() => reject(new InvalidProxyHeader('the header took too long')), this.#timeout).unref();
    socket.on('data', onData).on('end', onEnd).on('close', onEnd);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    }
  }
}
