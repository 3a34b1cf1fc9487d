import type { Socket } from 'node:net';
import type { Address } from '@postern/conversation';
import { networks } from './networks.ts';
import { InvalidProxyHeader } from './proxy-additions.ts';
import { type ProxyHeader, parseProxyHeader } from './proxy-header.ts';

/** Whose word is taken on whose connection they hand on, by the PROXY protocol. */
export interface ProxyOptions {
  /**
   * The proxies that are trusted: addresses (`192.0.2.1`), networks (`10.0.0.0/8`, `2001:db8::/32`), `unix` for whoever comes by a UNIX
   * socket. Each of their connections begins with a PROXY header, before TLS; those of others do not.
   */
  readonly from: readonly string[];
  /** How long the header may take, in milliseconds. Default: 5000. */
  readonly timeout?: number;
}

/** Who may say whom it connects, and hearing it. */
export class TrustedProxies {
  /** Whether a peer is one. */
  readonly includes: (peer: Address) => boolean;
  readonly #timeout: number;

  /** Throws a TypeError that names what is neither an address nor a network. */
  constructor({ from, timeout = 5000 }: ProxyOptions) {
    this.#timeout = timeout;
    this.includes = networks(from);
  }

  /**
   * Reads the header from the socket, and not an octet more. Afterwards the socket is paused. Fails if it is not a header, is not there in
   * time or the connection ends.
   */
  async readHeader(socket: Socket): Promise<ProxyHeader> {
    const { promise, resolve, reject } = Promise.withResolvers<ProxyHeader>();
    let heard: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      try {
        const parsed = parseProxyHeader(heard);
        if (parsed === undefined) return;
        socket.pause().off('data', onData);
        if (heard.length > parsed.length) socket.unshift(heard.subarray(parsed.length));
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
