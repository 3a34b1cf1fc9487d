import { AsyncLocalStorage } from 'node:async_hooks';
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { EndPoint } from './end-point-hash.ts';
import type { SecuredSocket } from './socket-transport.ts';
import { explainHandshake } from './tls-errors.ts';
import { SocketTlsInfo } from './tls-info.ts';

/**
 * Runs the server's half of TLS handshakes on open sockets. One `tls.Server`, which never listens,
 * runs all of them with its keys and certificates.
 */
export class TlsAcceptor {
  readonly #server: Server;
  readonly #timeout: number;
  readonly #endPoint: EndPoint | undefined;
  /**
   * The handshake to which an event of the server belongs: the event has only the TLS socket, which
   * is new.
   */
  readonly #handshake = new AsyncLocalStorage<Handshake>();

  /**
   * @param timeout Milliseconds for a whole handshake.
   * @param certificate The certificate of all handshakes, if there is only one.
   * @throws Error if OpenSSL rejects the key or a certificate.
   */
  constructor(options: TlsOptions, timeout: number, certificate: X509Certificate | undefined) {
    this.#timeout = timeout;
    this.#endPoint = certificate === undefined ? undefined : new EndPoint(certificate);
    // `secure` bounds the whole handshake. Node's timeout would bound each silence of the client.
    this.#server = createServer({ ...options, handshakeTimeout: NEVER_MS })
      .on('secureConnection', (socket) => {
        socket.allowHalfOpen = true;
        // Octets after the handshake may break the socket before a transport listens to it.
        socket.on('error', destroy);
        this.#handshake.getStore()?.resolve(socket);
      })
      .on('tlsClientError', (error) => this.#handshake.getStore()?.reject(explainHandshake(error)));
  }

  /** Runs one handshake. A failure destroys the socket. */
  async secure(raw: Socket): Promise<SecuredSocket> {
    const handshake = Promise.withResolvers<TLSSocket>();
    const onClose = () => handshake.reject(new Error('the connection was closed during the handshake'));
    const timer = setTimeout(() => handshake.reject(new Error('the handshake took too long')), this.#timeout).unref();
    try {
      if (raw.destroyed) onClose();
      else {
        raw.once('close', onClose);
        // Only so Node notices that a client ends its side in a handshake. The TLS socket gets the
        // same value.
        raw.allowHalfOpen = false;
        this.#handshake.run(handshake, () => this.#server.emit('connection', raw));
      }
      const socket = await handshake.promise;
      // Each call of Node's method copies the certificate: a fifth of the time of the JavaScript.
      const endPoint = this.#endPoint ?? new EndPoint(socket.getX509Certificate());
      return { socket, tls: new SocketTlsInfo(socket, 'server', socket.getPeerX509Certificate(), endPoint) };
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

/** The longest timer of Node, 24 days. */
const NEVER_MS = 0x7fffffff;
