import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { idOf, type Ledger } from './messages.ts';

/** How the next server behaves. */
export type Mood = 'well' | 'refuses for now' | 'refuses for good' | 'stalls' | 'disconnects';

/** A next server that takes messages into the ledger, and is in a bad mood at times. */
export class NextServer {
  mood: Mood = 'well';
  readonly ledger: Ledger;
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  /** Resolves to the port. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
    let heard = Buffer.alloc(0);
    /** The pieces of the message that is under way. */
    let message: Buffer[] | undefined;
    socket.on('data', (octets: Buffer) => {
      heard = Buffer.concat([heard, octets]);
      for (;;) {
        if (message === undefined) {
          const end = heard.indexOf('\r\n');
          if (end < 0) return;
          const line = heard.toString('latin1', 0, end);
          heard = heard.subarray(end + 2);
          if (this.#answer(socket, line)) message = [];
        } else {
          const end = heard.indexOf('\r\n.\r\n');
          if (end < 0) {
            // The last octets may be a part of the end.
            message.push(Buffer.from(heard.subarray(0, Math.max(0, heard.length - 4))));
            heard = heard.subarray(Math.max(0, heard.length - 4));
            return;
          }
          message.push(Buffer.from(heard.subarray(0, end + 2)));
          heard = heard.subarray(end + 5);
          this.#take(socket, Buffer.concat(message));
          message = undefined;
        }
      }
    });
    socket.write('220 next.example.com ESMTP\r\n');
  }

  /** Returns true if a message follows. */
  #answer(socket: Socket, line: string): boolean {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'QUIT') socket.end('221 bye\r\n');
    else if (verb === 'EHLO') socket.write('250-next.example.com\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0\r\n');
    else if (verb === 'RCPT' && this.mood === 'refuses for now') socket.write('450 4.2.1 later\r\n');
    else if (verb === 'DATA') socket.write('354 go\r\n');
    else socket.write('250 ok\r\n');
    return verb === 'DATA';
  }

  #take(socket: Socket, message: Buffer): void {
    if (this.mood === 'disconnects') socket.destroy();
    else if (this.mood === 'refuses for good') socket.write('554 5.7.1 no\r\n');
    else if (this.mood !== 'stalls') {
      this.ledger.arrive(idOf(Buffer.from(message.toString('latin1').replace(/^\.\./gm, '.'), 'latin1')));
      socket.write('250 kept\r\n');
    }
  }
}
