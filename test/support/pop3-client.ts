import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { TextSocket } from './text-socket.ts';

/** A POP3 client that hears whole responses. A character is an octet. */
export class Pop3Client implements Disposable {
  readonly socket: Socket;
  readonly #text: TextSocket;
  /** The status line of the greeting. */
  greeting = '';

  private constructor(text: TextSocket) {
    this.#text = text;
    this.socket = text.socket;
  }

  /** Connects from `localAddress`, and hears the greeting. */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<Pop3Client> {
    const client = new Pop3Client(await TextSocket.connect(port, localAddress));
    client.greeting = await client.hear();
    return client;
  }

  /**
   * Connects and logs in. Waits up to ten seconds while another session has the mailbox.
   *
   * @throws Error if the server refuses the login.
   */
  static async logIn(port: number, user: string, password: string, localAddress?: string): Promise<Pop3Client> {
    for (let attempt = 0; ; attempt++) {
      const client = await Pop3Client.connect(port, localAddress);
      const status = await client.tryLogIn(user, password);
      if (status.startsWith('+OK')) return client;
      client[Symbol.dispose]();
      if (!status.startsWith('-ERR [IN-USE]') || attempt >= MAX_ATTEMPTS) throw new Error(`PASS: ${status}`);
      await pause(ATTEMPT_MS);
    }
  }

  /** Sends USER and PASS, and resolves to the status line. */
  async tryLogIn(user: string, password: string): Promise<string> {
    await this.say(`USER ${user}`);
    return await this.say(`PASS ${password}`);
  }

  /** Sends a line, and waits for no reply. */
  send(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  /** Sends a line and resolves to the status line. */
  async say(line: string): Promise<string> {
    this.send(line);
    return await this.hear();
  }

  /** Resolves to the next line without its CRLF. Rejects if the connection ends before. */
  async hear(): Promise<string> {
    return (await this.#until('\r\n')).slice(0, -'\r\n'.length);
  }

  /**
   * Sends a command whose response has several lines. Resolves to the lines behind the status,
   * without dot stuffing.
   *
   * @throws Error if the server refuses the command.
   */
  async ask(line: string): Promise<string> {
    const status = await this.say(line);
    if (!status.startsWith('+OK')) throw new Error(`${line}: ${status}`);
    // An empty list has no line before the dot.
    const body = `\r\n${await this.#untilDot()}`;
    return body
      .slice(0, -'.\r\n'.length)
      .replace(/\r\n\./g, '\r\n')
      .slice('\r\n'.length);
  }

  /** Resolves to the numbers and unique ids of all messages. */
  async uids(): Promise<ReadonlyMap<number, string>> {
    return new Map(fieldsOf(await this.ask('UIDL')).map(([number = '', uid = '']) => [Number(number), uid]));
  }

  /** Resolves to the numbers and octets of all messages. */
  async sizes(): Promise<ReadonlyMap<number, number>> {
    return new Map(fieldsOf(await this.ask('LIST')).map(([number, octets]) => [Number(number), Number(octets)]));
  }

  /** Says QUIT. Rejects if the server does not confirm the deletions. */
  async quit(): Promise<void> {
    const status = await this.say('QUIT');
    if (!status.startsWith('+OK')) throw new Error(`QUIT: ${status}`);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  async #untilDot(): Promise<string> {
    const first = await this.#until('\r\n');
    return first === '.\r\n' ? first : first + (await this.#untilDotAfter(first));
  }

  async #untilDotAfter(first: string): Promise<string> {
    this.#text.heard = `${first.slice(-'\r\n'.length)}${this.#text.heard}`;
    return (await this.#until('\r\n.\r\n')).slice('\r\n'.length);
  }

  async #until(end: string): Promise<string> {
    for (let from = 0; ; ) {
      const at = this.#text.heard.indexOf(end, from);
      if (at >= 0) {
        const text = this.#text.heard.slice(0, at + end.length);
        this.#text.heard = this.#text.heard.slice(at + end.length);
        return text;
      }
      from = Math.max(0, this.#text.heard.length - end.length);
      await this.#text.more();
    }
  }
}

function fieldsOf(body: string): readonly (readonly string[])[] {
  return body
    .split('\r\n')
    .slice(0, -1)
    .map((line) => line.split(' '));
}
const MAX_ATTEMPTS = 500;
const ATTEMPT_MS = 20;
