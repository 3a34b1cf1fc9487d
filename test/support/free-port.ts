import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port of loopback at which nobody listens just now, and which the system gives to nobody who asks it for any port: it is as free when
 * the one for whom it is begins to listen.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    await using server = createServer();
    const listens = once(server, 'listening');
    server.listen(port, '127.0.0.1');
    const free = await listens.then(
      () => true,
      () => false,
    );
    if (free) return port;
  }
}

/** Above what services are registered for mostly, and below the ports that Linux, macOS and Windows give out by themselves. */
const LOWEST = 16_000;
const HIGHEST = 32_000;
