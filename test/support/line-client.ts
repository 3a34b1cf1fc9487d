import { once } from 'node:events';
import type { Socket } from 'node:net';

/** A client that says lines and hears replies. */
export class LineClient implements Disposable {
  #socket: Socket;
  #heard = '';

  constructor(socket: Socket) {
    this.#socket = socket.setEncoding('latin1');
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Goes on over another socket, one with TLS on it. */
  set socket(socket: Socket) {
    this.#socket = socket.setEncoding('latin1');
  }

  /** Says a line; the reply. */
  async say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return await this.hear();
  }

  /** The next reply, of however many lines. */
  async hear(): Promise<string> {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#heard)?.[0];
      if (reply !== undefined) {
        this.#heard = this.#heard.slice(reply.length);
        return reply;
      }
      const [text] = (await once(this.#socket, 'data')) as [string];
      this.#heard += text;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
