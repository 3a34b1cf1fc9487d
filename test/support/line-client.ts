import type { Socket } from 'node:net';

/** A client that sends lines and reads replies. It keeps a reply until {@link hear} asks for it. */
export class LineClient implements Disposable {
  #socket: Socket;
  #heard = '';
  /** The reason why no more replies come. */
  #over: Error | undefined;
  #onNews = (): void => {};

  constructor(socket: Socket) {
    this.#socket = this.#listen(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** Continues over another socket, which has TLS. */
  set socket(socket: Socket) {
    this.#socket.removeAllListeners('data');
    this.#socket = this.#listen(socket);
  }

  /** Sends a line and resolves to the reply. */
  async say(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return await this.hear();
  }

  /** Resolves to the next reply with all its lines. Rejects if the connection ends before. */
  async hear(): Promise<string> {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#heard)?.[0];
      if (reply !== undefined) {
        this.#heard = this.#heard.slice(reply.length);
        return reply;
      }
      if (this.#over !== undefined) throw this.#over;
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #listen(socket: Socket): Socket {
    const end = (error: Error): void => {
      if (socket !== this.#socket) return;
      this.#over ??= error;
      this.#onNews();
    };
    return socket
      .setEncoding('latin1')
      .on('data', (text: string) => {
        this.#heard += text;
        this.#onNews();
      })
      .on('error', end)
      .on('close', () => end(new Error(`the connection ended: ${JSON.stringify(this.#heard)}`)));
  }
}
