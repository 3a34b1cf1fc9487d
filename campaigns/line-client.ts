import type { Socket } from 'node:net';
import { TextSocket } from '../test/support/text-socket.ts';

/** An SMTP client that says lines and hears replies. */
export class LineClient implements Disposable {
  readonly socket: Socket;
  readonly #text: TextSocket;

  private constructor(text: TextSocket) {
    this.#text = text;
    this.socket = text.socket;
  }

  /** Connects from `localAddress`, and hears the greeting. */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<LineClient> {
    const client = new LineClient(await TextSocket.connect(port, localAddress));
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
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*(?=\r\n)/.exec(this.#text.heard)?.[0];
      if (reply !== undefined) {
        this.#text.heard = this.#text.heard.slice(reply.length + 2);
        return reply;
      }
      await this.#text.more();
    }
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
