import { chmod } from 'node:fs/promises';
import { createServer, type ListenOptions as NetListenOptions, type Server } from 'node:net';
import { formatEndpoint } from './endpoint.ts';
import type { ListenOptions } from './listen-options.ts';
import { Listener } from './listener.ts';
import { SOCKET_BUFFER } from './socket-transport.ts';
import { removeStaleSocket, withUmask } from './unix-socket.ts';

/** Listens at the endpoint and leads a conversation with everybody who connects. Fails with the system's error if that cannot be. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { certificates, endpoint, tlsPolicy = certificates === undefined ? 'none' : 'offered' } = options;
  if (tlsPolicy !== 'none' && certificates === undefined) {
    throw new TypeError(`${formatEndpoint(endpoint)}: TLS is ${tlsPolicy}, but there are no certificates`);
  }
  if ('path' in endpoint) await removeStaleSocket(endpoint.path);
  const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_BUFFER });
  const listener = new Listener(server, tlsPolicy, options);
  await opened(server, options);
  if ('path' in endpoint && options.mode !== undefined) {
    await chmod(endpoint.path, options.mode).catch(async (error: unknown) => {
      await listener.close({ grace: 0 });
      throw error;
    });
  }
  return listener;
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
