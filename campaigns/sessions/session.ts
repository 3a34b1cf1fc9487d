import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Random } from '../fuzz/random.ts';
import type { Script } from './grammar.ts';
import { Fault, Model } from './model.ts';

/**
 * Sends a script in pieces, and holds each reply against the model.
 *
 * @throws {Fault} A reply is missing, is one too many, or has not the form of a reply.
 */
export async function runSession(port: number, script: Script, isLmtp: boolean, random: Random): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: `127.3.${random.below(250)}.1` });
  const dialogue = new Dialogue(socket, isLmtp);
  try {
    await dialogue.send(script.plain, random);
    if (script.afterStartTls !== undefined) {
      await dialogue.until(() => !dialogue.model.isOwed);
      if (dialogue.model.startsTls && dialogue.model.hasRest) return await dialogue.refuseHandshake();
      if (dialogue.model.startsTls) await dialogue.startTls();
      await dialogue.send(script.afterStartTls, random);
    }
    await dialogue.until(() => dialogue.isClosed);
    if (dialogue.model.isOwed) throw new Fault('the connection ends without a reply');
    if (dialogue.unread !== '') throw new Fault(`a part of a reply: ${JSON.stringify(dialogue.unread.slice(0, 100))}`);
  } catch (error) {
    throw new Fault(`${(error as Error).message}, behind the replies ${dialogue.codes.slice(-20).join(' ')}`);
  } finally {
    dialogue.destroy();
  }
}

class Dialogue {
  readonly model: Model;
  isClosed = false;
  /** The codes of all replies. */
  readonly codes: string[] = [];
  /** What the server has said, up to where replies are complete. */
  unread = '';
  #socket: Socket;
  #fault: Error | undefined;
  #awaitsAlert = false;
  #onNews = (): void => {};

  constructor(socket: Socket, isLmtp: boolean) {
    this.#socket = socket;
    this.model = new Model(isLmtp);
    this.#hear(socket);
  }

  /** Sends in pieces. A server that closes may leave the rest unread. */
  async send(octets: string, random: Random): Promise<void> {
    const most = random.pick([3, 40, 2_000, octets.length]);
    for (let at = 0; at < octets.length && !this.isClosed; ) {
      const piece = octets.slice(at, at + 1 + random.below(most));
      at += piece.length;
      this.model.send(piece);
      this.#socket.write(Buffer.from(piece, 'latin1'));
      if (random.below(3) > 0) await nextTurn();
    }
  }

  /** Waits for the condition or the end of the connection. */
  async until(condition: () => boolean): Promise<void> {
    const end = performance.now() + TIMEOUT_MS;
    while (this.#fault === undefined && !condition() && !this.isClosed) {
      const timer = setTimeout(() => this.#onNews(), TIMEOUT_MS);
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
      clearTimeout(timer);
      if (performance.now() > end) throw new Fault(`no answer within ${TIMEOUT_MS} ms`);
    }
    if (this.#fault !== undefined) throw this.#fault;
  }

  async startTls(): Promise<void> {
    this.#socket.removeAllListeners('data');
    const socket = connectTls({ socket: this.#socket, rejectUnauthorized: false });
    this.#hear(socket);
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    this.model.enterTls();
    this.#socket = socket;
  }

  /**
   * What was sent behind STARTTLS is no handshake. Waits for the end, before which nothing in the
   * clear may come.
   */
  async refuseHandshake(): Promise<void> {
    this.#awaitsAlert = true;
    await this.until(() => this.isClosed);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #hear(socket: Socket): void {
    socket.on('data', (octets: Buffer) => {
      this.unread += octets.toString('latin1');
      try {
        this.#read();
      } catch (error) {
        this.#fault ??= error as Error;
      }
      this.#onNews();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.codes.push(error.code ?? error.message);
      this.#onNews();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#onNews();
    });
  }

  #read(): void {
    for (let reply = REPLY.exec(this.unread); reply !== null; reply = REPLY.exec(this.unread)) {
      this.unread = this.unread.slice(reply[0].length);
      this.codes.push(reply[1] ?? '');
      this.model.reply(Number(reply[1]));
    }
    if (this.#awaitsAlert && this.unread.startsWith(TLS_ALERT)) return;
    if (!BEGINNING.test(this.unread)) {
      throw new Fault(`no reply: ${JSON.stringify(this.unread.slice(0, 100))}`);
    }
  }
}

/**
 * One reply (RFC 5321 §4.2), whose lines have one code and at most 512 octets; a challenge may have
 * more.
 */
const REPLY = /^(?=(\d{3}))(?:\1-[ -~\x80-\xff]{0,506}\r\n)*\1 (?:[ -~\x80-\xff]{0,506}|(?<=334 )[ -~]*)\r\n/;
/** What may become a reply. */
const BEGINNING = /^(?:[2-5]\d\d-[ -~\x80-\xff]*\r\n)*(?:[2-5]?|[2-5]\d{1,2}|[2-5]\d\d[ -][ -~\x80-\xff]*\r?)$/;
const TLS_ALERT = '\x15';
const TIMEOUT_MS = 30_000;
