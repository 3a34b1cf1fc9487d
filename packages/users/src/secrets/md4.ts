/** Returns the MD4 digest of octets (RFC 1320), 16 octets. OpenSSL 3 does not compute it. */
export function md4(message: Uint8Array): Buffer {
  const padded = pad(message);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let offset = 0; offset < padded.length; offset += BLOCK_OCTETS) compress(state, padded.subarray(offset));
  const digest = Buffer.alloc(16);
  for (const [index, word] of state.entries()) digest.writeUInt32LE(word >>> 0, 4 * index);
  return digest;
}

/** Appends a bit, zeros and the length in bits (RFC 1320 §3.1 and §3.2). */
function pad(message: Uint8Array): Buffer {
  const blocks = Math.floor((message.length + 8) / BLOCK_OCTETS) + 1;
  const padded = Buffer.alloc(blocks * BLOCK_OCTETS);
  padded.set(message);
  padded[message.length] = 0x80;
  padded.writeBigUInt64LE(BigInt(message.length) * 8n, padded.length - 8);
  return padded;
}

/** Processes one block (RFC 1320 §3.4). The four words of the state rotate after each step. */
function compress(state: number[], block: Buffer): void {
  let [a = 0, b = 0, c = 0, d = 0] = state;
  for (const { mix, constant, order, shifts } of ROUNDS) {
    for (const [step, index] of order.entries()) {
      const sum = (a + mix(b, c, d) + block.readUInt32LE(4 * index) + constant) | 0;
      const shift = shifts[step % 4] ?? 0;
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    }
  }
  for (const [index, word] of [a, b, c, d].entries()) state[index] = ((state[index] ?? 0) + word) | 0;
}

interface Round {
  readonly mix: (b: number, c: number, d: number) => number;
  readonly constant: number;
  /** The indexes of the block's words. */
  readonly order: readonly number[];
  /** The bits to rotate by, in turn. */
  readonly shifts: readonly number[];
}

/** The three rounds of RFC 1320 §3.4. */
const ROUNDS: readonly Round[] = [
  {
    mix: (b, c, d) => (b & c) | (~b & d),
    constant: 0,
    order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    shifts: [3, 7, 11, 19],
  },
  {
    mix: (b, c, d) => (b & c) | (b & d) | (c & d),
    constant: 0x5a827999,
    order: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
  },
  {
    mix: (b, c, d) => b ^ c ^ d,
    constant: 0x6ed9eba1,
    order: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
  },
];

const BLOCK_OCTETS = 64;
