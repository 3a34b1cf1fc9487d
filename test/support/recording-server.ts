import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** An SMTP server that accepts every command and keeps the octets of one message. */
export interface RecordingServer extends AsyncDisposable {
  readonly port: number;
  /** The octets after DATA, including dot-stuffing and the final dot. */
  readonly message: Promise<string>;
}

/** Starts a {@link RecordingServer} on a free loopback port. */
export async function startRecordingServer(): Promise<RecordingServer> {
  const { promise: message, resolve } = Promise.withResolvers<string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setEncoding('latin1'));
    socket.on('error', () => {});
    socket.write('220 next.example.com ESMTP\r\n');
    let heard = '';
    let inMessage = false;
    socket.on('data', (text: string) => {
      heard += text;
      if (inMessage) {
        if (!heard.endsWith('\r\n.\r\n')) return;
        inMessage = false;
        resolve(heard);
        socket.write('250 2.0.0 OK\r\n');
      } else if (heard.endsWith('\r\n')) {
        inMessage = heard === 'DATA\r\n';
        socket.write(inMessage ? '354 Go ahead\r\n' : '250 OK\r\n');
      } else return;
      heard = '';
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    message,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
