import { HeaderReader } from '../message/header-reader.ts';

/**
 * Keeps a copy of a message's header, or of the whole message, to return it with a notification
 * (RFC 3461 §4.3).
 */
export class ReturnedContent {
  readonly #maxOctets: number;
  #keepsBody: boolean;
  readonly #reader = new HeaderReader();
  #kept = Buffer.alloc(0);
  #length = 0;
  /**
   * The length of the header in octets, once it is known; of a header that is cut, the length of
   * its whole lines.
   */
  #headerOctets: number | undefined;
  #isComplete = false;

  /**
   * @param maxOctets The most octets to keep: of a longer header its first lines, of a longer
   * message its header.
   * @param keepsBody True to keep the body too.
   */
  constructor(maxOctets: number, keepsBody: boolean) {
    this.#maxOctets = maxOctets;
    this.#keepsBody = keepsBody;
  }

  /** Copies the next chunk of the message, or the part of it that is to be kept. */
  write(chunk: Uint8Array): void {
    if (this.#isComplete) return;
    const before = this.#length;
    this.#reader.read(chunk);
    this.#headerOctets ??= this.#reader.headerOctets;
    const end = this.#keepsBody || this.#headerOctets === undefined ? chunk.length : this.#headerOctets - before;
    const wanted = chunk.subarray(0, Math.max(0, end));
    this.#append(wanted.subarray(0, this.#maxOctets - before));
    if (this.#length < before + wanted.length) this.#cut();
    this.#isComplete = this.#headerOctets !== undefined && !this.#keepsBody;
    // The buffer may be larger than the header: a copy frees the rest.
    if (this.#isComplete) this.#kept = Buffer.from(this.header);
  }

  /** The fields of the header, without the empty line behind them. */
  get header(): Buffer {
    return this.#octets.subarray(0, this.#headerOctets);
  }

  /** The whole message; undefined if only the header is kept. */
  get message(): Buffer | undefined {
    return this.#keepsBody ? this.#octets : undefined;
  }

  get #octets(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }

  /**
   * The message is too long: keeps its header, or the whole lines of a header that is too long
   * itself.
   */
  #cut(): void {
    this.#keepsBody = false;
    if (this.#headerOctets !== undefined && this.#headerOctets <= this.#length) return;
    this.#headerOctets = this.#octets.lastIndexOf('\n') + 1;
  }

  #append(octets: Uint8Array): void {
    const length = this.#length + octets.length;
    if (length > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#maxOctets, Math.max(length, 2 * this.#kept.length)));
      larger.set(this.#octets);
      this.#kept = larger;
    }
    this.#kept.set(octets, this.#length);
    this.#length = length;
  }
}
