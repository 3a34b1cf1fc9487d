// A server that sends back what it gets. Its time under load is that of the machine, and not of
// Postern.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { finish, untilStopped } from '../child.ts';

const server = createServer((socket) => {
  socket.setNoDelay(true).on('error', () => socket.destroy());
  socket.pipe(socket);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
await untilStopped((server.address() as AddressInfo).port);
finish('done');
