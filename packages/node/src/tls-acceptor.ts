import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import type { SecuredSocket } from './socket-transport.ts';
import { explainHandshake } from './tls-errors.ts';
import { tlsInfo } from './tls-info.ts';

/**
 * The server's half of TLS handshakes, on sockets that are open already. One `tls.Server`, which never listens, makes them all and
 * shares its keys and certificates among them.
 */
export class TlsAcceptor {
  readonly #server: Server;
  readonly #timeout: number;
  /** Which handshake an event of the server belongs to: it tells only of the socket that it has made. */
  readonly #handshake = new AsyncLocalStorage<Handshake>();

  /** The timeout of a handshake is in milliseconds. Throws if OpenSSL does not like the key or a certificate. */
  constructor(options: TlsOptions, timeout: number) {
    this.#timeout = timeout;
    // Ours is an end to the whole, and not to each silence.
    this.#server = createServer({ ...options, handshakeTimeout: 0x7fffffff })
      .on('secureConnection', (socket) => {
        socket.allowHalfOpen = true;
        // It may be broken by what came behind the handshake, before anybody else listens.
        socket.on('error', destroy);
        this.#handshake.getStore()?.resolve(socket);
      })
      .on('tlsClientError', (error) => this.#handshake.getStore()?.reject(explainHandshake(error)));
  }

  /** Leads one handshake. If it fails the socket is destroyed. */
  async secure(raw: Socket): Promise<SecuredSocket> {
    const handshake = Promise.withResolvers<TLSSocket>();
    const onClose = () => handshake.reject(new Error('the connection was closed during the handshake'));
    const timer = setTimeout(() => handshake.reject(new Error('the handshake took too long')), this.#timeout).unref();
    try {
      if (raw.destroyed) onClose();
      else {
        raw.once('close', onClose);
        // A client that ends its side in a handshake has left; Node notices that only so, and hands this on to the TLS socket.
        raw.allowHalfOpen = false;
        this.#handshake.run(handshake, () => this.#server.emit('connection', raw));
      }
      const socket = await handshake.promise;
      return { socket, tls: tlsInfo(socket, 'server') };
    } catch (error) {
      raw.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
      raw.off('close', onClose);
    }
  }
}

function destroy(this: TLSSocket): void {
  this.destroy();
}

type Handshake = PromiseWithResolvers<TLSSocket>;
