import { once } from 'node:events';
import { TextSocket } from '../../test/support/text-socket.ts';
import { password } from '../account.ts';

/** A POP3 client whose replies take as little time of this process as possible. */
export class Pop3Client implements Disposable {
  readonly #text: TextSocket;

  private constructor(text: TextSocket) {
    this.#text = text;
  }

  /** Connects and hears the greeting. */
  static async connect(port: number): Promise<Pop3Client> {
    const client = new Pop3Client(await TextSocket.connect(port));
    await client.#hear('\r\n');
    return client;
  }

  /** Connects to a server that sends each line back, without a greeting. */
  static async echo(port: number): Promise<Pop3Client> {
    return new Pop3Client(await TextSocket.connect(port));
  }

  /** Sends a command and resolves to the first line of the reply. Rejects unless it is `+OK`. */
  async say(command: string): Promise<string> {
    this.#text.socket.write(`${command}\r\n`);
    return await this.#hear('\r\n');
  }

  /** Sends a command whose reply has several lines (RFC 1939 §3). Rejects unless it is `+OK`. */
  async sayMultiline(command: string): Promise<string> {
    this.#text.socket.write(`${command}\r\n`);
    return await this.#hear('\r\n.\r\n');
  }

  /** Logs in with USER and PASS. */
  async logIn(user: string): Promise<void> {
    await this.say(`USER ${user}`);
    await this.say(`PASS ${password}`);
  }

  async quit(): Promise<void> {
    const closed = once(this.#text.socket, 'close');
    await this.say('QUIT');
    this.#text.socket.end();
    await closed;
  }

  [Symbol.dispose](): void {
    this.#text.socket.destroy();
  }

  async #hear(end: string): Promise<string> {
    for (;;) {
      // A client waits for each reply, so that nothing follows the end.
      if (this.#text.heard.endsWith(end)) {
        const reply = this.#text.heard;
        this.#text.heard = '';
        if (!reply.startsWith('+OK')) throw new Error(`expected +OK, heard ${reply.trimEnd()}`);
        return reply;
      }
      if (this.#text.heard.startsWith('-ERR') && this.#text.heard.endsWith('\r\n')) {
        throw new Error(`expected +OK, heard ${this.#text.heard.trimEnd()}`);
      }
      await this.#text.more();
    }
  }
}
