import { DotStuffer } from './dot-stuffer.ts';
import { SmtpRefusal } from './errors.ts';
import type { SmtpClient } from './smtp-client.ts';

/** How a message goes out. */
export interface Framing {
  /** Sends a chunk, which is not empty; resolves when there may be more. */
  write(chunk: Uint8Array): Promise<void>;
  /** What is to be said at the end. */
  end(): string;
}

/** Behind DATA: lines, with a dot before those that begin with one, and a line of one dot at the end (RFC 5321 §4.5.2). */
export class DotStuffed implements Framing {
  readonly #client: SmtpClient;
  readonly #stuffer = new DotStuffer();

  constructor(client: SmtpClient) {
    this.#client = client;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#client.conversation.send(this.#stuffer.push(chunk));
  }

  end(): string {
    return this.#stuffer.end();
  }
}

/** By BDAT: any octets, in chunks of so many (RFC 3030 §2). */
export class Chunks implements Framing {
  readonly #client: SmtpClient;

  constructor(client: SmtpClient) {
    this.#client = client;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#client.say(`BDAT ${chunk.length}`);
    await this.#client.conversation.send(chunk);
    const reply = await this.#client.reply();
    if (reply.code !== 250) throw new SmtpRefusal('BDAT', reply);
  }

  end(): string {
    return 'BDAT 0 LAST\r\n';
  }
}
