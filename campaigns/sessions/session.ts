import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Random } from '../fuzz/random.ts';
import { Fault, type Model, type PreparedSession } from './protocol.ts';

/**
 * Sends a script in pieces, and holds each reply against the model.
 *
 * @throws {Fault} A reply is missing, is one too many, or has not the form of a reply.
 */
export async function runSession(port: number, session: PreparedSession, random: Random): Promise<void> {
  const { script, model } = session;
  const { ending = 'wait' } = script;
  const socket = connect({
    port,
    host: '127.0.0.1',
    localAddress: `127.3.${random.below(250)}.1`,
    allowHalfOpen: true,
  });
  const dialogue = new Dialogue(socket, model, script.readsSlowly === true);
  try {
    await dialogue.send(script.plain, random);
    if (script.afterStartTls !== undefined) {
      await dialogue.until(() => !model.isOwed);
      if (model.startsTls && model.hasRest) return await dialogue.refuseHandshake();
      if (model.startsTls) await dialogue.startTls();
      await dialogue.send(script.afterStartTls, random);
    }
    if (ending === 'reset') {
      dialogue.reset();
      return;
    }
    if (ending === 'half-close') dialogue.halfClose();
    await dialogue.until(() => dialogue.isClosed);
    // A client that has sent FIN may get fewer replies than it has sent commands.
    if (ending === 'half-close') return;
    if (model.isOwed) throw new Fault('the connection ends without a reply');
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
  /** The beginnings of all replies. */
  readonly codes: string[] = [];
  /** What the server has said, up to where replies are complete. */
  unread = '';
  /** The connection below TLS. */
  readonly #tcp: Socket;
  #socket: Socket;
  #fault: Error | undefined;
  #awaitsAlert = false;
  #onNews = (): void => {};
  readonly #readsSlowly: boolean;

  constructor(socket: Socket, model: Model, readsSlowly: boolean) {
    this.#tcp = socket;
    this.#socket = socket;
    this.model = model;
    this.#readsSlowly = readsSlowly;
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

  halfClose(): void {
    this.#socket.end();
  }

  /** @throws {Fault} A reply so far is wrong. */
  reset(): void {
    // A reset below TLS crashes Node 24.21 (SIGSEGV).
    if (this.#socket === this.#tcp) this.#tcp.resetAndDestroy();
    else this.#socket.destroy();
    if (this.#fault !== undefined) throw this.#fault;
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
      if (this.#readsSlowly) void this.#rest(socket);
    });
    // The server has ended: nothing more comes.
    socket.on('end', () => socket.end());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.codes.push(error.code ?? error.message);
      this.#onNews();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#onNews();
    });
  }

  async #rest(socket: Socket): Promise<void> {
    socket.pause();
    await pause(SLOW_READ_MS);
    socket.resume();
  }

  #read(): void {
    if (this.#awaitsAlert && this.unread.startsWith(TLS_ALERT)) return;
    while (this.unread !== '') {
      const length = this.model.hear(this.unread);
      if (length === 0) return;
      this.codes.push(this.unread.slice(0, 4).trimEnd());
      this.unread = this.unread.slice(length);
    }
  }
}

const TLS_ALERT = '\x15';
const TIMEOUT_MS = 30_000;
const SLOW_READ_MS = 20;
