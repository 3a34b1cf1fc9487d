import type { Container } from 'inversify';
import { identifiers } from './identifiers.ts';
import type { Server } from './server.ts';

/**
 * Puts together and starts what is bound in the container: `await using server = await start(container)`. Rejects with a
 * Misconfiguration that names the bindings it is about.
 */
export async function start(container: Pick<Container, 'getAsync'>): Promise<Server> {
  const server = await container.getAsync(identifiers.Server);
  return server.start();
}
