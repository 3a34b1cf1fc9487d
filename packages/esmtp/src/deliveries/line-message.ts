import { isPromise, type MaybePromise } from '@postern/core';
import type { Message, RecipientResult } from '../delivery.ts';
import { Rejection } from '../protocol/reply.ts';

/** A message for whoever wants lines. Lines end with CRLF; a CR or LF that stands alone is part of its line. */
export abstract class LineMessage implements Message {
  readonly keepsChunks = false;
  readonly #longest: number;
  /** The beginning of a line whose end has not come; it is looked through once, however small the chunks are. */
  #rest = '';
  #endsWithCr = false;

  /** A line of more octets than `longest` is refused with 554. Default: 65,536. */
  constructor(longest = 65_536) {
    this.#longest = longest;
  }

  /** The next line, without its CRLF, a character an octet (latin1). A promise is waited for before the next one. */
  abstract lineReceived(line: string): MaybePromise<void>;

  /** All lines have come; what it returns is what {@link Message.end} does. */
  abstract eomReceived(): MaybePromise<void | readonly RecipientResult[]>;

  /** There will be no more: undo what was done. */
  abstract connectionLost(reason: Error): MaybePromise<void>;

  write(chunk: Uint8Array): MaybePromise<void> {
    return this.#pass(this.#linesOf(latin1(chunk)), 0);
  }

  end(): MaybePromise<void | readonly RecipientResult[]> {
    const passed = this.#rest === '' ? undefined : this.lineReceived(this.#rest);
    return isPromise(passed) ? passed.then(() => this.eomReceived()) : this.eomReceived();
  }

  abort(reason: Error): MaybePromise<void> {
    this.#rest = '';
    return this.connectionLost(reason);
  }

  #linesOf(text: string): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let lf = text.indexOf('\n'); lf !== -1; lf = text.indexOf('\n', lf + 1)) {
      const ends = lf === 0 ? this.#endsWithCr : text[lf - 1] === '\r';
      if (!ends) continue;
      lines.push((this.#rest + text.slice(from, lf)).slice(0, -1));
      this.#rest = '';
      from = lf + 1;
    }
    this.#rest += text.slice(from);
    if (text !== '') this.#endsWithCr = text.endsWith('\r');
    return lines;
  }

  #pass(lines: readonly string[], from: number): MaybePromise<void> {
    for (let at = from; at < lines.length; at++) {
      this.#measure(lines[at] as string);
      const passed = this.lineReceived(lines[at] as string);
      if (isPromise(passed)) return passed.then(() => this.#pass(lines, at + 1));
    }
    this.#measure(this.#rest);
  }

  #measure({ length }: string): void {
    if (length > this.#longest) throw new Rejection(554, '5.6.0', 'A line of the message is too long');
  }
}

function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
}
