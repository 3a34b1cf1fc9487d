import { DotUnstuffer } from './dot-stuffing.ts';
import { LineNormalizer } from './line-normalizer.ts';
import type { Source } from './piece-loop.ts';

/**
 * A dot-stuffed message whose line ends come out as CRLF. Its end and its dots are found in the octets as the peer sent them, before
 * anything is normalized: only CRLF.CRLF ends it, and a dot is unstuffed behind a CRLF only (RFC 5321 §4.1.1.4, §4.5.2).
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

  /** The octets that came out, normalized; none of them is a bare line end. */
  get summary(): MessageSummary {
    return { octets: this.#octets, bareLineEndings: false };
  }

  /** The next piece: a view of the chunk if it needs no change, as nearly always, else a copy. */
  next(chunk: Buffer, from: number): Uint8Array {
    const unstuffer = this.#unstuffer;
    // The unstuffer sets this again if the piece at hand has one.
    unstuffer.bareLineEndings = false;
    const piece = this.#normalizer.push(unstuffer.next(chunk, from), unstuffer.bareLineEndings);
    this.#octets += piece.length;
    return piece;
  }
}

type MessageSummary = DotUnstuffer['summary'];
