// node smtp-server.ts [CERT KEY]
//
// npm's smtp-server, set up to be fast: no greeting delay, no reverse DNS, no log.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js';
import { password, username } from '../account.ts';
import { backlog } from './backlog.ts';
import { tell } from './tell.ts';

/** Greets at once: smtp-server otherwise waits 100 ms for clients who talk too soon. */
class PromptConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => this.connectionReady());
  }
}

class PromptServer extends SMTPServer {
  override connect(socket: Socket, socketOptions: ConstructorParameters<typeof SMTPConnection>[2]): void {
    const connection = new PromptConnection(this, socket, socketOptions);
    this.connections.add(connection);
    connection.on('error', (error) => this._onError(error));
    connection.on('connect', (data) => this._onClientConnect(data));
    connection.init();
  }
}

const counts = { messages: 0, octets: 0 };

const [cert, key] = process.argv.slice(2);
const tls = cert !== undefined &&
  key !== undefined && { secure: true, cert: readFileSync(cert), key: readFileSync(key) };
const server = new PromptServer({
  ...tls,
  name: 'smtp-server.example.com',
  logger: false,
  disableReverseLookup: true,
  hideSTARTTLS: true,
  authMethods: ['PLAIN'],
  // Idle connections stay open while the bench measures their memory.
  socketTimeout: 3_600_000,
  onAuth(auth, _session, callback) {
    if (auth.username === username && auth.password === password) callback(null, { user: auth.username });
    else callback(new Error('Invalid username or password'));
  },
  onMailFrom: (_address, _session, callback) => callback(),
  onRcptTo: (_address, _session, callback) => callback(),
  onData(stream, _session, callback) {
    stream.on('data', (chunk: Buffer) => {
      counts.octets += chunk.length;
    });
    stream.on('end', () => {
      counts.messages += 1;
      callback();
    });
  },
});
// A connection that the load generator resets is no reason to end.
server.on('error', () => {});
const listener = server.listen({ port: 0, host: '127.0.0.1', backlog }, () => {
  const address = listener.address();
  if (address !== null && typeof address === 'object') tell(address.port, counts);
});
