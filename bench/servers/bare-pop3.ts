// node bare-pop3.ts [MODE FOLDER]
//
// The least that a Node server does for POP3: finds CRLF and answers each line with a scripted
// reply, by the line's first letter. It knows no user and locks no mailbox.
// RETR writes a message, in one of two modes. `buffer` writes the octets from memory, with their
// dots stuffed beforehand. `file` reads the file of the message in FOLDER for each RETR, and stuffs
// its dots.
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { toWire } from '../pop3/wire.ts';
import { backlog } from './backlog.ts';
import { tell } from './tell.ts';

const counts = { messages: 0, octets: 0 };

const [mode, folder] = process.argv.slice(2);
const files = folder === undefined ? [] : readdirSync(folder).map((name) => join(folder, name));
const wires = mode === 'buffer' ? files.map((file) => toWire(readFileSync(file))) : [];

const server = createServer({ noDelay: true }, (socket) => void new Bare(socket));
server.listen({ port: 0, host: '127.0.0.1', backlog }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') tell(address.port, counts);
});

class Bare {
  readonly #socket: Socket;
  #line: Buffer | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('error', () => socket.destroy());
    socket.write('+OK bare\r\n', 'latin1');
  }

  #hear(heard: Buffer): void {
    const chunk = this.#line === undefined ? heard : Buffer.concat([this.#line, heard]);
    this.#line = undefined;
    let at = 0;
    while (at < chunk.length) {
      const feed = chunk.indexOf(10, at);
      if (feed === -1) {
        this.#line = chunk.subarray(at);
        return;
      }
      this.#answer(chunk, at, feed);
      at = feed + 1;
    }
  }

  #answer(chunk: Buffer, at: number, feed: number): void {
    switch (chunk[at]) {
      case 0x51: // QUIT
        this.#socket.end('+OK bye\r\n', 'latin1');
        return;
      case 0x53: // STAT
        this.#socket.write('+OK 2 2048\r\n', 'latin1');
        return;
      case 0x52: // RETR
        this.#retrieve(Number(chunk.toString('latin1', at + 5, feed - 1)));
        return;
      default:
        this.#socket.write('+OK\r\n', 'latin1');
    }
  }

  #retrieve(number: number): void {
    counts.messages += 1;
    if (mode === 'buffer') this.#send(wires[number - 1] ?? NOTHING);
    else void readFile(files[number - 1] ?? '').then((file) => this.#send(toWire(file)));
  }

  #send(wire: Uint8Array): void {
    this.#socket.cork();
    this.#socket.write('+OK\r\n', 'latin1');
    this.#socket.write(wire);
    this.#socket.write('.\r\n', 'latin1');
    this.#socket.uncork();
  }
}

const NOTHING = new Uint8Array();
