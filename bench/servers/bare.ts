// node bare.ts [CERT KEY]
//
// The least that a Node server does: finds CRLF and answers each line with a scripted reply, by the
// line's first letter.
// Its SCRAM-SHA-256 computes what a server must compute, and no more.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { iterations, salt, serverKey, storedKey } from '../account.ts';
import { byText, Hmac, xor } from '../hmac.ts';
import { backlog } from './backlog.ts';
import { tell } from './tell.ts';

const counts = { messages: 0, octets: 0 };

const [cert, key] = process.argv.slice(2);
const serve = (socket: Socket): void => void new Bare(socket);
const server =
  cert === undefined || key === undefined
    ? createServer({ noDelay: true }, serve)
    : createTlsServer({ noDelay: true, cert: readFileSync(cert), key: readFileSync(key) }, serve);
server.listen({ port: 0, host: '127.0.0.1', backlog }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') tell(address.port, counts);
});

class Bare {
  readonly #socket: Socket;
  #said = '220 bare\r\n';
  #line: Buffer | undefined;
  #data = false;
  /** The last bytes of message data, up to four. */
  #carry: Buffer = CRLF;
  #scram: Scram | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('error', () => socket.destroy());
    this.#flush();
  }

  #hear(heard: Buffer): void {
    let chunk = heard;
    if (this.#line !== undefined) {
      chunk = Buffer.concat([this.#line, heard]);
      this.#line = undefined;
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#data) {
        at = this.#hearData(chunk, at);
        continue;
      }
      const feed = chunk.indexOf(10, at);
      if (feed === -1) {
        this.#line = chunk.subarray(at);
        break;
      }
      this.#answer(chunk, at, feed);
      at = feed + 1;
    }
    this.#flush();
  }

  #answer(chunk: Buffer, at: number, feed: number): void {
    if (this.#scram !== undefined) {
      this.#said += this.#scram.answer(chunk.toString('latin1', at, feed - 1));
      if (this.#scram.done) this.#scram = undefined;
      return;
    }
    switch (chunk[at]) {
      case 0x45: // EHLO
        this.#said += '250-bare\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 AUTH PLAIN SCRAM-SHA-256\r\n';
        return;
      case 0x41: // AUTH
        if (chunk[at + 5] === 0x53) {
          this.#scram = new Scram();
          this.#said += this.#scram.answer(chunk.toString('latin1', at + 'AUTH SCRAM-SHA-256 '.length, feed - 1));
          return;
        }
        this.#said += '235 2.7.0 welcome\r\n';
        return;
      case 0x44: // DATA
        this.#said += '354 go ahead\r\n';
        this.#data = true;
        this.#carry = CRLF;
        return;
      case 0x51: // QUIT
        this.#said += '221 2.0.0 bye\r\n';
        this.#flush();
        this.#socket.end();
        return;
      default:
        this.#said += '250 2.0.0 ok\r\n';
    }
  }

  /** Looks for the end of the data from there on, and returns where the next command may begin. */
  #hearData(chunk: Buffer, at: number): number {
    const seam = Buffer.concat([this.#carry, chunk.subarray(at, at + 4)]);
    const across = seam.indexOf(END);
    // Behind the end.
    const next = (across !== -1 ? at + across - this.#carry.length : chunk.indexOf(END, at)) + END.length;
    if (across === -1 && next < END.length) {
      counts.octets += chunk.length - at;
      this.#carry = chunk.length - at >= 4 ? chunk.subarray(-4) : seam.subarray(-4);
      return chunk.length;
    }
    counts.octets += next - END.length - at;
    counts.messages += 1;
    this.#data = false;
    this.#said += '250 2.6.0 kept\r\n';
    return next;
  }

  /** One write for all that one read brought. */
  #flush(): void {
    if (this.#said === '') return;
    this.#socket.write(this.#said, 'latin1');
    this.#said = '';
  }
}

/** The server's computations of RFC 5802 §3 for a user who is known beforehand. */
class Scram {
  #authMessage = '';
  #round = 0;

  get done(): boolean {
    return this.#round === 3;
  }

  answer(line: string): string {
    this.#round += 1;
    if (this.#round === 1) {
      const first = Buffer.from(line, 'base64').toString('latin1', 3);
      const serverFirst = `${first.slice(first.indexOf('r='))}${nonce()},s=${saltText},i=${iterations}`;
      this.#authMessage = `${first},${serverFirst},`;
      return `334 ${Buffer.from(serverFirst).toString('base64')}\r\n`;
    }
    if (this.#round === 3) return '235 2.7.0 welcome\r\n';
    const final = Buffer.from(line, 'base64').toString('latin1');
    const proofAt = final.lastIndexOf(',p=');
    const authMessage = Buffer.from(this.#authMessage + final.slice(0, proofAt), 'latin1');
    const clientKey = xor(Buffer.from(final.slice(proofAt + 3), 'base64'), storedHmac.of(authMessage));
    if (!byText('sha256', clientKey).equals(storedKey)) throw new Error('a wrong proof');
    const signature = `v=${serverHmac.of(authMessage).toString('base64')}`;
    return `334 ${Buffer.from(signature).toString('base64')}\r\n`;
  }
}

/** 18 random bytes in base64, from a pool: one by one they cost more than the hashes. */
function nonce(): string {
  if (nonceAt === nonces.length) {
    nonces = randomBytes(18 * 512);
    nonceAt = 0;
  }
  nonceAt += 18;
  return nonces.toString('base64', nonceAt - 18, nonceAt);
}

const CRLF = Buffer.from('\r\n');
const END = Buffer.from('\r\n.\r\n');
const saltText = salt.toString('base64');
const storedHmac = new Hmac('sha256', 64, storedKey, byText);
const serverHmac = new Hmac('sha256', 64, serverKey, byText);
let nonces = Buffer.alloc(0);
let nonceAt = 0;
