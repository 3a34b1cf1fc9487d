import type { Message, Onward, RecipientResult, TellResult } from '@postern/esmtp';
import { ContentScan } from './content-scan.ts';
import { checkContent, type MissingExtensions } from './requirements.ts';

/** What a held message needs of the delivery. */
export interface MessageOpener {
  /** Says DATA to the next server. Rejects with a Rejection. */
  open(): Promise<Message>;
  /** Gives the transaction up. */
  drop(): void;
}

/**
 * A message that declares an extension which the next server lacks. The message holds its first octets
 * back, says DATA when it has seen that it does not need the extension, and refuses otherwise.
 */
export class HeldMessage implements Message {
  /** The message copies what it holds. */
  readonly retains = false;
  readonly #missing: MissingExtensions;
  readonly #opener: MessageOpener;
  readonly #scan = new ContentScan();
  #held: Uint8Array[] = [];
  #octets = 0;
  #message: Message | undefined;

  constructor(missing: MissingExtensions, opener: MessageOpener) {
    this.#missing = missing;
    this.#opener = opener;
  }

  onward(recipient: number): Onward | undefined {
    return this.#message?.onward?.(recipient);
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#message !== undefined) return await this.#message.write(chunk);
    this.#scan.push(chunk);
    this.#held.push(Uint8Array.from(chunk));
    this.#octets += chunk.length;
    if (this.#knowsEnough) await this.#open();
  }

  async end(tell?: TellResult): Promise<void | readonly RecipientResult[]> {
    const message = this.#message ?? (await this.#open());
    return await message.end(tell);
  }

  async abort(reason: Error): Promise<void> {
    if (this.#message === undefined) this.#opener.drop();
    else await this.#message.abort(reason);
  }

  /** Without SMTPUTF8 the header decides, without 8BITMIME the whole message, or as much as fits. */
  get #knowsEnough(): boolean {
    if (this.#octets > MAX_HELD_OCTETS) return true;
    return this.#scan.sawBody && !this.#missing.eightBitMime;
  }

  async #open(): Promise<Message> {
    const held = this.#held;
    this.#held = [];
    try {
      checkContent(this.#scan, this.#missing);
      const message = await this.#opener.open();
      this.#message = message;
      for (const chunk of held) await message.write(chunk);
      return message;
    } catch (error) {
      this.#opener.drop();
      throw error;
    }
  }
}

const MAX_HELD_OCTETS = 65_536;
