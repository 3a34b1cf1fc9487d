import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An SMTP client that says lines and hears replies. */
export class LineClient implements Disposable {
  readonly socket: Socket;
  #heard = '';
  #over: Error | undefined;
  #onNews = (): void => {};

  private constructor(socket: Socket) {
    this.socket = socket.setNoDelay(true).setEncoding('latin1');
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

  /** Connects from `localAddress`, and hears the greeting. */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<LineClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    const client = new LineClient(socket);
    await client.hear();
    return client;
  }

  /** Sends a line and resolves to the reply. */
  async say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`);
    return await this.hear();
  }

  /** Resolves to the next reply without its last CRLF. Rejects if the connection ends before. */
  async hear(): Promise<string> {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*(?=\r\n)/.exec(this.#heard)?.[0];
      if (reply !== undefined) {
        this.#heard = this.#heard.slice(reply.length + 2);
        return reply;
      }
      if (this.#over !== undefined) throw this.#over;
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const TIMEOUT_MS = 60_000;
