import { DotStuffer } from '@postern/conversation';
import { BadMessage } from './errors.ts';

/**
 * Adds dot stuffing to a message for a server. A CR or LF outside a CRLF and a NUL are errors:
 * servers treat them differently, and one might read two messages.
 */
export class MessageStuffer extends DotStuffer {
  #endsWithCr = false;

  /** @throws BadMessage */
  override push(chunk: Uint8Array): Uint8Array {
    if (chunk.length === 0) return chunk;
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    this.#checkOctets(text);
    this.#endsWithCr = text.endsWith('\r');
    return super.push(chunk);
  }

  /** @throws BadMessage */
  override end(): string {
    if (this.#endsWithCr) throw bareLineEnding();
    return super.end();
  }

  #checkOctets(text: string): void {
    if (text.includes('\0')) throw new BadMessage('the message has a NUL');
    if (this.#endsWithCr && !text.startsWith('\n')) throw bareLineEnding();
    for (let lf = text.indexOf('\n'); lf !== -1; lf = text.indexOf('\n', lf + 1)) {
      if (lf === 0 ? !this.#endsWithCr : text.charCodeAt(lf - 1) !== CR) throw bareLineEnding();
    }
    for (let cr = text.indexOf('\r'); cr !== -1; cr = text.indexOf('\r', cr + 1)) {
      if (cr + 1 < text.length && text.charCodeAt(cr + 1) !== LF) throw bareLineEnding();
    }
  }
}

function bareLineEnding(): BadMessage {
  return new BadMessage('the message has a CR or LF outside a CRLF');
}

const CR = 0x0d;
const LF = 0x0a;
