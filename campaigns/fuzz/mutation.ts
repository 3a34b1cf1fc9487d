import type { Random } from './random.ts';

/** Makes new inputs of those in a corpus: a few small changes each. */
export class Mutation {
  readonly #random: Random;
  readonly #tokens: readonly Buffer[];
  readonly #maxOctets: number;
  /** Where an input is made. Its octets are copied once the changes are done. */
  readonly #scratch: Buffer;
  #length = 0;

  constructor(random: Random, tokens: readonly string[], maxOctets: number) {
    this.#random = random;
    this.#tokens = [...COMMON, ...tokens].map((token) => Buffer.from(token, 'latin1'));
    this.#maxOctets = maxOctets;
    this.#scratch = Buffer.alloc(maxOctets);
  }

  /** Returns a changed copy of an input from the corpus. */
  next(corpus: readonly Buffer[]): Buffer {
    const random = this.#random;
    this.#length = random.pick(corpus).copy(this.#scratch, 0, 0, this.#maxOctets);
    for (let changes = 1 + random.below(4); changes > 0; changes--) this.#change(corpus);
    return Buffer.from(this.#scratch.subarray(0, this.#length));
  }

  #change(corpus: readonly Buffer[]): void {
    const random = this.#random;
    const at = random.below(this.#length + 1);
    const kind = random.below(9);
    if (kind === 0) this.#scratch[Math.min(at, this.#maxOctets - 1)] = random.below(256);
    else if (kind === 1 && at < this.#length) (this.#scratch[at] as number) ^= 1 << random.below(8);
    else if (kind === 2) this.#remove(at, 1 + random.below(8));
    else if (kind <= 6) this.#insert(at, this.#insertion(kind, at, corpus));
    else {
      const token = random.pick(this.#tokens);
      if (random.below(2) === 0) this.#remove(at, token.length);
      this.#insert(at, token);
    }
  }

  /**
   * Returns a part of this input, one octet many times, a part of another input, or another input's
   * end.
   */
  #insertion(kind: number, at: number, corpus: readonly Buffer[]): Buffer {
    const random = this.#random;
    if (kind === 3) return this.#scratch.subarray(at, Math.min(this.#length, at + 1 + random.below(16)));
    if (kind === 4) return Buffer.alloc(1 + random.below(40), this.#scratch[at] ?? 0x20);
    const other = random.pick(corpus);
    const from = random.below(other.length + 1);
    if (kind === 5) return other.subarray(from, from + 1 + random.below(32));
    this.#length = at;
    return other.subarray(from);
  }

  #remove(from: number, octets: number): void {
    const end = Math.min(this.#length, from + octets);
    this.#scratch.copyWithin(from, end, this.#length);
    this.#length -= end - from;
  }

  #insert(at: number, octets: Uint8Array): void {
    // A copy: the octets may be a part of the scratch buffer that moves.
    const inserted = Buffer.from(octets.subarray(0, this.#maxOctets - at));
    this.#scratch.copyWithin(at + inserted.length, at, this.#length);
    this.#scratch.set(inserted, at);
    this.#length = Math.min(this.#maxOctets, this.#length + inserted.length);
  }
}

/** Octets that mean something to most parsers. */
const COMMON = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  '.',
  ',',
  '=',
  '"',
  '\\',
  '<',
  '>',
  '@',
  ':',
  ';',
  '\x7f',
  '\x80',
  '\xff',
  '\xc3\xa4',
  '\xe2\x80\xae',
  '\xf0\x9f\x92\xa9',
  '0',
  '65536',
  '99999999999999999999',
];
