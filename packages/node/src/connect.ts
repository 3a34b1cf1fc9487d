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

/** Where to connect to, and how TLS is done there. */
export interface ConnectOptions {
  readonly endpoint: Endpoint;
  /** `implicit` starts TLS at once; `none` has no TLS to start. Default: `offered`, that is, `startTls` is there to be called. */
  readonly tlsPolicy?: TlsPolicy;
  /** The authorities of servers' certificates. Default: Node's. */
  readonly ca?: Pem | readonly Pem[];
  /** The name to ask for (SNI) and to find in the certificate. Default: the host. */
  readonly serverName?: string;
  /** Goes on with a server whose certificate is not verified; the TLS facts tell. Default: false. */
  readonly unverified?: boolean;
  /** The client's own certificate, for a server that asks. */
  readonly certificate?: KeyPair;
  /** Default: `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Default: `TLSv1.3`. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** How long connecting may take, and then a TLS handshake, in milliseconds. Default: 30,000. */
  readonly timeout?: number;
  /** Ends the attempt. */
  readonly signal?: AbortSignal;
}

/** Connects to a server. Fails with PeerGone, whose cause says why, or TimedOut; with PeerGone also if the certificate is not right. */
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
  // A server that ends its side in a handshake has left; Node notices that only so, and hands this on to the TLS socket.
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
    // An address is looked for in the certificate, but not asked for: SNI is for names (RFC 6066 §3).
    host: name,
    ...(isIP(name) ? {} : { servername: name }),
    minVersion,
    // A renegotiated channel would have another tls-unique than the one that was read from it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    rejectUnauthorized: !unverified,
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ca === undefined ? {} : { ca: await readAll('ca', ca) }),
    ...(certificate === undefined ? {} : (await readPair(certificate)).options),
  };
}

/** Waits for what `begin` calls back for, the socket's failure, the end of the time or the signal; destroys the socket if it comes to nothing. */
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
    // onError stays: until the transport listens, the socket may still break.
  }
}
