import { createServer, type Server } from 'node:net';
import type { TlsPolicy } from '@postern/conversation';
import type { Endpoint } from './endpoint.ts';
import type { InheritedSocket } from './inherited-sockets.ts';
import { ListenError } from './listen-error.ts';
import type { ListenOptions } from './listen-options.ts';
import { DEFAULT_BACKLOG, Listener } from './listener.ts';
import { SOCKET_BUFFER_OCTETS } from './socket-transport.ts';
import { hasFile, SocketFile } from './unix-socket.ts';

/**
 * Listens at an endpoint and runs the protocol on each connection. `serve` does this for several
 * listeners and closes them, the portal and the resources in order.
 *
 * @example
 * ```ts
 * import { listen } from '@postern/node';
 *
 * await using listener = await listen({
 *   endpoint: { host: '127.0.0.1', port: 0 },
 *   protocol: async (conversation) => conversation.say('220 hello\r\n'),
 * });
 * console.log(listener.url);
 * ```
 *
 * @throws ListenError if the system or the options do not allow it.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const tlsPolicy = tlsPolicyOf(options);
  const endpoint = withScheme(options, tlsPolicy);
  try {
    if (tlsPolicy !== 'none' && options.certificates === undefined) {
      throw new TypeError(`TLS is ${tlsPolicy}, but there are no certificates`);
    }
    return await open({ ...options, endpoint }, tlsPolicy);
  } catch (error) {
    throw new ListenError(endpoint, error, options.name);
  }
}

async function open(options: ListenOptions, tlsPolicy: TlsPolicy): Promise<Listener> {
  const inherited = await options.inherited?.use(options.endpoint);
  const file = inherited === undefined ? await socketFileOf(options) : undefined;
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER_OCTETS });
  // The next process accepts the connections that wait at an inherited socket.
  const drainsBacklog = inherited === undefined && (file !== undefined || options.takeOver === true);
  const listener = new Listener(server, tlsPolicy, options, { file, drainsBacklog });
  await listening(server, options, inherited ?? file);
  await file?.publish().catch(async (error: unknown) => {
    await listener.close({ shutdownTimeout: 0 });
    throw error;
  });
  return listener;
}

/** Resolves to undefined for an endpoint without a file. */
async function socketFileOf(options: ListenOptions): Promise<SocketFile | undefined> {
  const { endpoint, mode, group, takeOver = false } = options;
  if (!('path' in endpoint) || !hasFile(endpoint.path)) return undefined;
  return await SocketFile.at(endpoint.path, { mode, group, takeOver });
}

/**
 * A scheme such as `smtps` of the protocol `smtp` asks for TLS from the first byte (RFC 8314 §3).
 */
function tlsPolicyOf({ certificates, endpoint, protocol, tlsPolicy }: ListenOptions): TlsPolicy {
  if (tlsPolicy !== undefined) return tlsPolicy;
  if (protocol.scheme !== undefined && endpoint.scheme === `${protocol.scheme}s`) return 'implicit';
  return certificates === undefined ? 'none' : 'offered';
}

function withScheme({ endpoint, protocol }: ListenOptions, tlsPolicy: TlsPolicy): Endpoint {
  if (endpoint.scheme !== undefined || protocol.scheme === undefined) return endpoint;
  return { ...endpoint, scheme: tlsPolicy === 'implicit' ? `${protocol.scheme}s` : protocol.scheme };
}

/** Resolves when the server listens; rejects with the system's error. */
function listening(
  server: Server,
  options: ListenOptions,
  place: InheritedSocket | SocketFile | undefined,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { backlog = DEFAULT_BACKLOG, endpoint, reusePort = false, takeOver = false } = options;
  server.once('error', reject).once('listening', () => {
    server.off('error', reject);
    resolve();
  });
  if (place instanceof SocketFile) place.bind(() => server.listen({ path: place.temporaryPath, backlog }));
  // Node ignores the option `backlog` beside a descriptor.
  else if (place !== undefined) server.listen({ fd: place.fd }, backlog);
  else if ('path' in endpoint) server.listen({ path: endpoint.path, backlog });
  else {
    // Without a host Node listens on every address of both families.
    const { host, port } = endpoint;
    server.listen({ ...(host === '*' ? {} : { host }), port, backlog, reusePort: reusePort || takeOver });
  }
  return promise;
}
