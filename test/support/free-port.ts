import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Resolves to a loopback port without a listener. The port is outside the range that the system
 * assigns for port 0, so that it stays free until the test listens on it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(MIN_PORT, MAX_PORT);
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

/**
 * Above most registered services, and below the ports that Linux, macOS and Windows assign
 * themselves.
 */
const MIN_PORT = 16_000;
const MAX_PORT = 32_000;
