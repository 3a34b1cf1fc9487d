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
  async say(line: string, form?: RegExp): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return await this.hear(form);
  }

  /**
   * Resolves to the next reply with all its lines, by its form. Default: a reply of SMTP. Rejects
   * if the connection ends before.
   */
  async hear(form = SMTP_REPLY): Promise<string> {
    for (;;) {
      const reply = form.exec(this.#heard)?.[0];
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

/** A reply of SMTP with all its lines (RFC 5321 §4.2). */
const SMTP_REPLY = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/;
/** A reply of POP3 that has one line, or a challenge (RFC 1939 §3). */
export const POP3_LINE = /^(?:\+OK|-ERR|\+ ).*\r\n/;
/** A reply of POP3 up to the line with a dot, or an error (RFC 1939 §3). */
export const POP3_LINES = /^(?:-ERR.*\r\n|\+OK[\s\S]*?\r\n\.\r\n)/;
