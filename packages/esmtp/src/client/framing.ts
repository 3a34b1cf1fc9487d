import { SmtpReplyError } from './errors.ts';
import { MessageStuffer } from './message-stuffer.ts';
import type { SmtpDialogue } from './smtp-dialogue.ts';

/** The encoding of a message on the wire. */
export interface Framing {
  /**
   * Sends a chunk, which is not empty, or buffers a copy. Resolves when the connection accepts
   * more.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the message. */
  end(): Promise<void>;
}

/** The framing of DATA: dot-stuffed lines and a final line of one dot (RFC 5321 §4.5.2). */
export class DotStuffedFraming implements Framing {
  readonly #client: SmtpDialogue;
  readonly #stuffer = new MessageStuffer();

  constructor(client: SmtpDialogue) {
    this.#client = client;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#client.conversation.send(this.#stuffer.push(chunk));
  }

  async end(): Promise<void> {
    this.#client.conversation.say(this.#stuffer.end());
  }
}

/**
 * The framing of BDAT: any octets, in counted chunks (RFC 3030 §2). Small pieces are joined into
 * chunks of 128 KiB. A refused chunk is an SmtpReplyError of the next `write` or of `end`.
 */
export class BdatFraming implements Framing {
  readonly #client: SmtpDialogue;
  #pieces: Uint8Array[] = [];
  #octets = 0;
  #awaitsReply = false;

  constructor(client: SmtpDialogue) {
    this.#client = client;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#octets + chunk.length < MIN_CHUNK_OCTETS) {
      this.#pieces.push(Uint8Array.from(chunk));
      this.#octets += chunk.length;
    } else {
      await this.#send(chunk, '');
      this.#awaitsReply = true;
    }
  }

  async end(): Promise<void> {
    await this.#send(NO_OCTETS, ' LAST');
  }

  async #send(chunk: Uint8Array, last: string): Promise<void> {
    await this.#hearReply();
    const octets = Buffer.concat([...this.#pieces, chunk]);
    this.#pieces = [];
    this.#octets = 0;
    this.#client.say(`BDAT ${octets.length}${last}`);
    await this.#client.conversation.send(octets);
  }

  async #hearReply(): Promise<void> {
    if (!this.#awaitsReply) return;
    this.#awaitsReply = false;
    const reply = await this.#client.reply();
    if (reply.code !== 250) throw new SmtpReplyError('BDAT', reply);
  }
}

/** The fewest octets of a chunk before the last: each chunk costs a command and a reply. */
const MIN_CHUNK_OCTETS = 131_072;
const NO_OCTETS = new Uint8Array(0);
