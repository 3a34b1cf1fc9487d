/** The 64 bits of a {@link HalfSipHash}: two unsigned numbers of 32 bits. */
export interface HashWords {
  readonly first: number;
  readonly second: number;
}

/**
 * Hashes short texts with a secret key: HalfSipHash-2-4 with 64 bits of output (Aumasson and
 * Bernstein, 2012, and their reference code). Without the key, clients cannot choose texts that
 * collide. A call into OpenSSL takes several times as long.
 */
export class HalfSipHash {
  readonly #key0: number;
  readonly #key1: number;

  /** Takes a key of eight octets. */
  constructor(key: Buffer) {
    this.#key0 = key.readInt32LE(0);
    this.#key1 = key.readInt32LE(4);
  }

  /** Returns the hash of a latin1 text. */
  hash(text: string): HashWords {
    const state = new SipState(this.#key0, this.#key1);
    let word = 0;
    for (let index = 0; index < text.length; index++) {
      word |= text.charCodeAt(index) << (8 * (index & 3));
      if ((index & 3) < 3) continue;
      state.compress(word);
      word = 0;
    }
    state.compress(word | (text.length << 24));
    return state.finish();
  }
}

/** The four words of the hash while it runs. */
class SipState {
  #v0: number;
  #v1: number;
  #v2: number;
  #v3: number;

  constructor(key0: number, key1: number) {
    this.#v0 = key0;
    this.#v1 = key1 ^ 0xee;
    this.#v2 = key0 ^ 0x6c796765;
    this.#v3 = key1 ^ 0x74656462;
  }

  compress(word: number): void {
    this.#v3 ^= word;
    this.#rounds(2);
    this.#v0 ^= word;
  }

  finish(): HashWords {
    this.#v2 ^= 0xee;
    this.#rounds(4);
    const first = (this.#v1 ^ this.#v3) >>> 0;
    this.#v1 ^= 0xdd;
    this.#rounds(4);
    return { first, second: (this.#v1 ^ this.#v3) >>> 0 };
  }

  #rounds(count: number): void {
    // Local variables keep the words in registers.
    let [v0, v1, v2, v3] = [this.#v0, this.#v1, this.#v2, this.#v3];
    for (let round = 0; round < count; round++) {
      v0 = (v0 + v1) | 0;
      v1 = rotate(v1, 5) ^ v0;
      v0 = rotate(v0, 16);
      v2 = (v2 + v3) | 0;
      v3 = rotate(v3, 8) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = rotate(v3, 7) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = rotate(v1, 13) ^ v2;
      v2 = rotate(v2, 16);
    }
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
