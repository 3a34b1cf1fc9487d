import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A port of loopback at which nobody listens just now. */
export async function freePort(): Promise<number> {
  await using server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
