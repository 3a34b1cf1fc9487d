import { DotStuffer } from './dot-stuffer.ts';
import { SmtpReplyError } from './errors.ts';
import type { SmtpClient } from './smtp-client.ts';

/** How a message goes out. */
export interface Framing {
  /** Sends a chunk, which is not empty, or keeps a copy; resolves when there may be more. */
  write(chunk: Uint8Array): Promise<void>;
  /** Says that this was all. */
  end(): Promise<void>;
}

/** Behind DATA: lines, with a dot before those that begin with one, and a line of one dot at the end (RFC 5321 §4.5.2). */
export class DotStuffedFraming implements Framing {
  readonly #client: SmtpClient;
  readonly #stuffer = new DotStuffer();

  constructor(client: SmtpClient) {
    this.#client = client;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#client.conversation.send(this.#stuffer.push(chunk));
  }

  async end(): Promise<void> {
    this.#client.conversation.say(this.#stuffer.end());
  }
}

/**
 * By BDAT: any octets, in chunks of so many (RFC 3030 §2). What comes in small pieces goes out in larger ones. A chunk that was refused is
 * an SmtpReplyError at the next `write` or at the `end`.
 */
export class BdatFraming implements Framing {
  readonly #client: SmtpClient;
  #pieces: Uint8Array[] = [];
  #octets = 0;
  #unanswered = false;

  constructor(client: SmtpClient) {
    this.#client = client;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#octets + chunk.length < WORTHWHILE) {
      this.#pieces.push(Uint8Array.from(chunk));
      this.#octets += chunk.length;
    } else {
      await this.#send(chunk, '');
      this.#unanswered = true;
    }
  }

  async end(): Promise<void> {
    await this.#send(NOTHING, ' LAST');
  }

  async #send(chunk: Uint8Array, last: string): Promise<void> {
    await this.#hearAnswer();
    const octets = Buffer.concat([...this.#pieces, chunk]);
    this.#pieces = [];
    this.#octets = 0;
    this.#client.say(`BDAT ${octets.length}${last}`);
    await this.#client.conversation.send(octets);
  }

  async #hearAnswer(): Promise<void> {
    if (!this.#unanswered) return;
    this.#unanswered = false;
    const reply = await this.#client.reply();
    if (reply.code !== 250) throw new SmtpReplyError('BDAT', reply);
  }
}

/** Octets that are worth a command, and the wait for its answer. */
const WORTHWHILE = 131_072;
const NOTHING = new Uint8Array(0);
