import { isPromise, type MaybePromise, toPromise } from '@postern/core';
import type { EndResult, Message } from '../delivery.ts';
import { Rejection } from '../protocol/reply.ts';

/**
 * A message that receives its text line by line. Lines end with CRLF; a bare CR or LF is part of
 * its line. The method names are those of Twisted's `IMessage`.
 *
 * @example
 * ```ts
 * import { type Envelope, LineMessage, MessageDelivery } from '@postern/esmtp';
 *
 * class SubjectMessage extends LineMessage {
 *   lineReceived(line: string): void {
 *     if (/^subject:/i.test(line)) console.log(line);
 *   }
 *   eomReceived(): void {}
 *   connectionLost(): void {}
 * }
 *
 * class SubjectDelivery extends MessageDelivery {
 *   validateFrom(): void {}
 *   validateTo(): void {}
 *   openMessage(_envelope: Envelope): SubjectMessage {
 *     return new SubjectMessage();
 *   }
 * }
 * ```
 */
export abstract class LineMessage implements Message {
  readonly keepsChunks = false;
  readonly #maxLineOctets: number;
  /**
   * The beginning of a line without its end yet. It is searched once, however small the chunks are.
   */
  #rest = '';
  #endsWithCr = false;

  /**
   * @param maxLineOctets The most octets of a line; a longer line refuses the message with 554
   * 5.6.0.
   */
  constructor(maxLineOctets = 65_536) {
    this.#maxLineOctets = maxLineOctets;
  }

  /**
   * Receives the next line, without its CRLF, one character for each octet (latin1). The next line
   * waits for the promise.
   */
  abstract lineReceived(line: string): MaybePromise<void>;

  /** Ends the message after its last line. Returns what {@link Message.end} returns. */
  abstract eomReceived(): MaybePromise<EndResult>;

  /** Undoes a message that will not be completed. */
  abstract connectionLost(reason: Error): MaybePromise<void>;

  write(chunk: Uint8Array): MaybePromise<void> {
    return this.#receive(this.#linesOf(latin1(chunk)), 0);
  }

  end(): MaybePromise<EndResult> {
    const received = this.#rest === '' ? undefined : this.lineReceived(this.#rest);
    return isPromise(received) ? toPromise(received).then(() => this.eomReceived()) : this.eomReceived();
  }

  abort(reason: Error): MaybePromise<void> {
    this.#rest = '';
    return this.connectionLost(reason);
  }

  #linesOf(text: string): readonly string[] {
    const lines: string[] = [];
    let from = 0;
    for (let lf = text.indexOf('\n'); lf !== -1; lf = text.indexOf('\n', lf + 1)) {
      const isLineEnd = lf === 0 ? this.#endsWithCr : text[lf - 1] === '\r';
      if (!isLineEnd) continue;
      lines.push((this.#rest + text.slice(from, lf)).slice(0, -1));
      this.#rest = '';
      from = lf + 1;
    }
    this.#rest += text.slice(from);
    if (text !== '') this.#endsWithCr = text.endsWith('\r');
    return lines;
  }

  #receive(lines: readonly string[], from: number): MaybePromise<void> {
    for (let index = from; index < lines.length; index++) {
      this.#checkLength(lines[index] as string);
      const received = this.lineReceived(lines[index] as string);
      if (isPromise(received)) return toPromise(received).then(() => this.#receive(lines, index + 1));
    }
    this.#checkLength(this.#rest);
  }

  #checkLength({ length }: string): void {
    if (length > this.#maxLineOctets) throw new Rejection(554, '5.6.0', 'A line of the message is too long');
  }
}

function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
}
