import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { password } from '../account.ts';

/** A POP3 client whose replies take as little time of this process as possible. */
export class Pop3Client implements Disposable {
  readonly #socket: Socket;
  #heard = '';
  #over: Error | undefined;
  #onNews = (): void => {};

  private constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#heard += text;
      this.#onNews();
    });
    const end = (error: Error): void => {
      this.#over ??= error;
      this.#onNews();
    };
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    socket.on('error', end).on('close', () => end(new Error('the connection has ended')));
  }

  /** Connects and hears the greeting. */
  static async connect(port: number): Promise<Pop3Client> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    const client = new Pop3Client(socket);
    await client.#hear('\r\n');
    return client;
  }

  /** Connects to a server that sends each line back, without a greeting. */
  static async echo(port: number): Promise<Pop3Client> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new Pop3Client(socket);
  }

  /** Sends a command and resolves to the first line of the reply. Rejects unless it is `+OK`. */
  async say(command: string): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    return await this.#hear('\r\n');
  }

  /** Sends a command whose reply has several lines (RFC 1939 §3). Rejects unless it is `+OK`. */
  async sayMultiline(command: string): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    return await this.#hear('\r\n.\r\n');
  }

  /** Logs in with USER and PASS. */
  async logIn(user: string): Promise<void> {
    await this.say(`USER ${user}`);
    await this.say(`PASS ${password}`);
  }

  async quit(): Promise<void> {
    const closed = once(this.#socket, 'close');
    await this.say('QUIT');
    this.#socket.end();
    await closed;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #hear(end: string): Promise<string> {
    for (;;) {
      // A client waits for each reply, so that nothing follows the end.
      if (this.#heard.endsWith(end)) {
        const reply = this.#heard;
        this.#heard = '';
        if (!reply.startsWith('+OK')) throw new Error(`expected +OK, heard ${reply.trimEnd()}`);
        return reply;
      }
      if (this.#heard.startsWith('-ERR') && this.#heard.endsWith('\r\n')) {
        throw new Error(`expected +OK, heard ${this.#heard.trimEnd()}`);
      }
      if (this.#over !== undefined) throw this.#over;
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
  }
}

const TIMEOUT_MS = 60_000;
