import { chmod } from 'node:fs/promises';
import { createServer, type ListenOptions as NetListenOptions, type Server } from 'node:net';
import type { TlsPolicy } from '@postern/conversation';
import { type Endpoint, formatEndpoint } from './endpoint.ts';
import { ListenError } from './listen-error.ts';
import type { ListenOptions } from './listen-options.ts';
import { Listener } from './listener.ts';
import { SOCKET_BUFFER } from './socket-transport.ts';
import { removeStaleSocket, withUmask } from './unix-socket.ts';

/**
 * Listens at the endpoint and leads a conversation with everybody who connects.
 * @throws ListenError if the system does not allow that; TypeError if TLS is wanted and there are no certificates.
 */
export async function listen(given: ListenOptions): Promise<Listener> {
  const tlsPolicy = tlsPolicyOf(given);
  const endpoint = withScheme(given, tlsPolicy);
  if (tlsPolicy !== 'none' && given.certificates === undefined) {
    throw new TypeError(`${formatEndpoint(endpoint)}: TLS is ${tlsPolicy}, but there are no certificates`);
  }
  try {
    return await begin({ ...given, endpoint }, tlsPolicy);
  } catch (error) {
    // An error without a system call is a mistake in the options.
    throw error instanceof Error && 'syscall' in error ? new ListenError(endpoint, error) : error;
  }
}

async function begin(options: ListenOptions, tlsPolicy: TlsPolicy): Promise<Listener> {
  const { endpoint } = options;
  if ('path' in endpoint) await removeStaleSocket(endpoint.path);
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER });
  const listener = new Listener(server, tlsPolicy, options);
  await opened(server, options);
  if ('path' in endpoint && options.mode !== undefined) {
    await chmod(endpoint.path, options.mode).catch(async (error: unknown) => {
      await listener.close({ shutdownTimeout: 0 });
      throw error;
    });
  }
  return listener;
}

/** A scheme such as `smtps` of the protocol `smtp` asks for TLS from the first byte (RFC 8314 §3). */
function tlsPolicyOf({ certificates, endpoint, protocol, tlsPolicy }: ListenOptions): TlsPolicy {
  if (tlsPolicy !== undefined) return tlsPolicy;
  if (protocol.scheme !== undefined && endpoint.scheme === `${protocol.scheme}s`) return 'implicit';
  return certificates === undefined ? 'none' : 'offered';
}

function withScheme({ endpoint, protocol }: ListenOptions, tlsPolicy: TlsPolicy): Endpoint {
  if (endpoint.scheme !== undefined || protocol.scheme === undefined) return endpoint;
  return { ...endpoint, scheme: tlsPolicy === 'implicit' ? `${protocol.scheme}s` : protocol.scheme };
}

function where({ backlog = 4096, endpoint, reusePort = false }: ListenOptions): NetListenOptions {
  if ('path' in endpoint) return { path: endpoint.path, backlog };
  // Without a host it is every address of both families.
  const { host, port } = endpoint;
  return { ...(host === '*' ? {} : { host }), port, backlog, reusePort };
}

function opened(server: Server, options: ListenOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  const begin = (): void => {
    server.listen(where(options), () => {
      server.off('error', reject);
      resolve();
    });
  };
  if ('path' in options.endpoint && options.mode !== undefined) withUmask(~options.mode & 0o777, begin);
  else begin();
  return promise;
}
