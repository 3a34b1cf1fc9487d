import { constants } from 'node:crypto';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { PeerGone, TimedOut, type TlsPolicy, type Transport } from '@postern/conversation';
import { localAddress, remoteAddress, unixAddress } from './address.ts';
import type { Endpoint } from './endpoint.ts';
import { type KeyPair, readPair } from './key-pair.ts';
import { type Pem, readAll } from './pem.ts';
import { type SecuredSocket, SocketTransport, UpgradableTransport } from './socket-transport.ts';
import { tlsInfo } from './tls-info.ts';

/** The server's address and the parameters of TLS. */
export interface ConnectOptions {
  readonly endpoint: Endpoint;
  /**
   * `implicit` starts TLS at once, and `none` has no TLS. With `offered` and `required` the
   * protocol calls the transport's `startTls`. Default: `offered`.
   */
  readonly tlsPolicy?: TlsPolicy;
  /** The authorities of the server's certificate. Default: Node's. */
  readonly ca?: Pem | readonly Pem[];
  /** The name to send (SNI) and to verify in the certificate. Default: the host. */
  readonly serverName?: string;
  /**
   * Accepts a certificate that is not valid: `tls.peerCertificate.verified` is false then. Default:
   * false.
   */
  readonly unverified?: boolean;
  /** The client's certificate, for a server that asks for one. Default: none. */
  readonly certificate?: KeyPair;
  /** Default: `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Default: `TLSv1.3`. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Milliseconds for the connection, and again for a TLS handshake. Default: 30,000. */
  readonly timeout?: number;
  /** Ends the attempt: `connect` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to a server.
 *
 * @example
 * ```ts
 * import { Conversation } from '@postern/conversation';
 * import { connect } from '@postern/node';
 *
 * const endpoint = { host: 'mail.example.com', port: 465 };
 * const transport = await connect({ endpoint, tlsPolicy: 'implicit' });
 * const conversation = new Conversation(transport);
 * console.log(await conversation.hearLine(512));
 * ```
 *
 * @throws PeerGone if the server cannot be reached or its certificate is not valid, with the cause;
 *   TimedOut after `timeout`; the signal's reason after an abort.
 */
export async function connect(options: ConnectOptions): Promise<Transport> {
  const { endpoint, signal, timeout = 30_000, tlsPolicy = 'offered' } = options;
  const tls = tlsPolicy === 'none' ? {} : await tlsOptions(options);
  const socket = connectSocket({ ...endpoint, allowHalfOpen: true, noDelay: true });
  await within(socket, timeout, signal, (connected) => socket.once('connect', connected));
  const isUnix = 'path' in endpoint;
  const remote = isUnix ? unixAddress(endpoint.path) : remoteAddress(socket);
  const local = isUnix ? unixAddress('') : localAddress(socket);
  if (remote === undefined || local === undefined) throw new PeerGone();
  const info = { remote, local, tlsPolicy };
  const secure = (raw: Socket) => secureClient(raw, tls, timeout, signal);
  if (tlsPolicy === 'none') return new SocketTransport(socket, info);
  if (tlsPolicy !== 'implicit') return new UpgradableTransport(socket, info, secure);
  const secured = await secure(socket);
  return new SocketTransport(secured.socket, { ...info, tls: secured.tls });
}

async function secureClient(
  raw: Socket,
  options: ConnectionOptions,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<SecuredSocket> {
  // Only so Node notices that a server ends its side in a handshake. The TLS socket gets the same
  // value.
  raw.allowHalfOpen = false;
  const socket = connectTls({ ...options, socket: raw });
  socket.once('secureConnect', () => {
    socket.allowHalfOpen = true;
  });
  await within(socket, timeout, signal, (secured) => socket.once('secureConnect', secured));
  return { socket, tls: tlsInfo(socket, 'client') };
}

async function tlsOptions(options: ConnectOptions): Promise<ConnectionOptions> {
  const { ca, certificate, endpoint, maxVersion, minVersion = 'TLSv1.2', unverified = false } = options;
  const name = options.serverName ?? ('host' in endpoint ? endpoint.host : 'localhost');
  return {
    // The certificate may name an address, but SNI may not (RFC 6066 §3).
    host: name,
    ...(isIP(name) ? {} : { servername: name }),
    minVersion,
    // A renegotiation would change tls-unique (RFC 5929 §3.1).
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    rejectUnauthorized: !unverified,
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ca === undefined ? {} : { ca: await readAll('ca', ca) }),
    ...(certificate === undefined ? {} : (await readPair(certificate)).options),
  };
}

/**
 * Resolves when `begin` calls its callback. Rejects if the socket fails, after the milliseconds, or
 * when the signal aborts, and then destroys the socket.
 */
async function within(
  socket: Socket,
  timeout: number,
  signal: AbortSignal | undefined,
  begin: (done: () => void) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onError = (cause: Error) => {
    reject(new PeerGone(cause.message, { cause }));
    socket.destroy();
  };
  const onClose = () => reject(new PeerGone());
  const onAbort = () => reject(signal?.reason);
  const timer = setTimeout(() => reject(new TimedOut()), timeout);
  socket.on('error', onError).on('close', onClose);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener('abort', onAbort);
  begin(resolve);
  try {
    await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    socket.off('close', onClose);
    // onError stays: the socket may fail before the transport listens.
  }
}
