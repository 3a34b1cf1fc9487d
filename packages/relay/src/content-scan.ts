import { isAscii } from 'node:buffer';

/**
 * Records whether a message needs SMTPUTF8 or 8BITMIME: whether its header and its body contain
 * octets above 127. The header is that of the message itself, and not of its MIME parts.
 */
export class ContentScan {
  /** True once the header has an octet above 127: only SMTPUTF8 allows that (RFC 6531 §3.2). */
  hasNonAsciiHeader = false;
  /** True once the body has an octet above 127: only 8BITMIME allows that (RFC 6152 §3). */
  hasNonAsciiBody = false;
  /** Octets of CRLF CRLF that the scan has seen in a row. A message begins at the start of a line. */
  #matched = 2;

  /** True once the empty line that ends the header has passed. */
  get sawBody(): boolean {
    return this.#matched === HEADER_END.length;
  }

  /** Scans the next octets of the message. */
  push(chunk: Uint8Array): void {
    const body = this.sawBody ? 0 : this.#scanHeader(chunk);
    if (body < chunk.length && !isAscii(chunk.subarray(body))) this.hasNonAsciiBody = true;
  }

  /** Returns where the body begins: the length of the chunk if the header does not end in it. */
  #scanHeader(chunk: Uint8Array): number {
    let index = 0;
    while (index < chunk.length && !this.sawBody) {
      const octet = chunk[index++] as number;
      if (octet > 127) this.hasNonAsciiHeader = true;
      if (octet === HEADER_END[this.#matched]) this.#matched++;
      else this.#matched = octet === CR ? 1 : 0;
    }
    return index;
  }
}

const CR = 0x0d;
const LF = 0x0a;
const HEADER_END: readonly number[] = [CR, LF, CR, LF];
