import { connect } from 'node:net';
import { LineClient } from './line-client.ts';

/** A mail server's side of Dovecot's auth protocol, over a UNIX socket. */
export class AuthClient implements Disposable {
  readonly #client: LineClient;
  #lastId = 0;

  private constructor(client: LineClient) {
    this.#client = client;
  }

  /** Connects, sends the handshake of Postfix, and resolves when the server's has arrived. */
  static async connect(path: string): Promise<AuthClient> {
    const client = new LineClient(connect(path));
    client.socket.write('VERSION\t1\t0\nCPID\t1\n');
    await client.hear(/^(?:.*\n)*?DONE\n/);
    return new AuthClient(client);
  }

  /** Sends PLAIN logins at once, and resolves to the lines of the answers. */
  async plain(username: string, passwords: readonly string[], parameters: string): Promise<readonly string[]> {
    const lines = passwords.map((password) => {
      this.#lastId++;
      const response = Buffer.from(`\0${username}\0${password}`).toString('base64');
      return `AUTH\t${this.#lastId}\tPLAIN\t${parameters}\tresp=${response}\n`;
    });
    this.#client.socket.write(lines.join(''));
    const answers: string[] = [];
    while (answers.length < lines.length) answers.push((await this.#client.hear(/^.*\n/)).trimEnd());
    return answers;
  }

  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }
}
