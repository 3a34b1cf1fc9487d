import { isAscii } from 'node:buffer';
import { HeaderReader } from '@postern/esmtp';

/**
 * Records whether a message needs SMTPUTF8 or 8BITMIME: whether its header and its body contain
 * octets above 127. The header is that of the message itself, and not of its MIME parts.
 */
export class ContentScan {
  /** True once the header has an octet above 127: only SMTPUTF8 allows that (RFC 6531 §3.2). */
  hasNonAsciiHeader = false;
  /** True once the body has an octet above 127: only 8BITMIME allows that (RFC 6152 §3). */
  hasNonAsciiBody = false;
  readonly #reader = new HeaderReader();
  #octets = 0;

  /** True once the empty line that ends the header has begun. */
  get sawBody(): boolean {
    return this.#reader.isOver;
  }

  /** Scans the next octets of the message. */
  push(chunk: Uint8Array): void {
    const bodyFrom = this.sawBody ? 0 : this.#scanHeader(chunk);
    if (bodyFrom < chunk.length && !isAscii(chunk.subarray(bodyFrom))) this.hasNonAsciiBody = true;
  }

  /**
   * Returns the offset of the empty line: the length of the chunk if the header does not end in it.
   */
  #scanHeader(chunk: Uint8Array): number {
    this.#reader.read(chunk);
    const end = (this.#reader.headerOctets ?? Number.POSITIVE_INFINITY) - this.#octets;
    this.#octets += chunk.length;
    const header = chunk.subarray(0, Math.max(0, end));
    if (!isAscii(header)) this.hasNonAsciiHeader = true;
    return header.length;
  }
}
