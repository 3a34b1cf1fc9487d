import { DotUnstuffer } from './dot-stuffing.ts';
import { LineNormalizer } from './line-normalizer.ts';
import type { Source } from './piece-loop.ts';

/**
 * A dot-stuffed message whose line endings become CRLF. The end and the dots are found in the
 * octets as the peer sent them, before the normalization: only CRLF.CRLF ends the message, and only
 * a dot after CRLF is stuffing (RFC 5321 §4.1.1.4, §4.5.2). Otherwise a bare LF could smuggle a
 * second message.
 */
export class NormalizedMessage implements Source<MessageSummary> {
  readonly #unstuffer: DotUnstuffer;
  readonly #normalizer = new LineNormalizer();
  #octets = 0;

  constructor(unstuffer: DotUnstuffer = new DotUnstuffer()) {
    this.#unstuffer = unstuffer;
  }

  get consumed(): number {
    return this.#unstuffer.consumed;
  }

  get ended(): boolean {
    return this.#unstuffer.ended;
  }

  /** The facts about the normalized message so far. */
  get summary(): MessageSummary {
    return { octets: this.#octets, bareLineEndings: false };
  }

  /** Returns the next piece: a view of the chunk, or a copy if line endings change. */
  next(chunk: Buffer, from: number): Uint8Array {
    const unstuffer = this.#unstuffer;
    // The unstuffer sets the flag again if this piece has a bare line ending.
    unstuffer.bareLineEndings = false;
    const piece = this.#normalizer.push(unstuffer.next(chunk, from), unstuffer.bareLineEndings);
    this.#octets += piece.length;
    return piece;
  }
}

type MessageSummary = DotUnstuffer['summary'];
