import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The text that a client's socket hears. A character is an octet. */
export class TextSocket implements Disposable {
  readonly socket: Socket;
  /** The text that the client has not taken. */
  heard = '';
  #over: Error | undefined;
  #onNews = (): void => {};

  private constructor(socket: Socket) {
    this.socket = socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.heard += text;
      this.#onNews();
    });
    const end = (error: Error): void => {
      this.#over ??= error;
      this.#onNews();
    };
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    socket.on('error', end).on('close', () => end(new Error('the server has closed the connection')));
  }

  /** Connects from `localAddress`. */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<TextSocket> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    await once(socket, 'connect');
    return new TextSocket(socket);
  }

  /** Resolves when more text has come. Rejects if the connection has ended. */
  async more(): Promise<void> {
    if (this.#over !== undefined) throw this.#over;
    await new Promise<void>((resolve) => {
      this.#onNews = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const TIMEOUT_MS = 60_000;
