/**
 * Returns the MD5 digest (RFC 1321) of octets that ended in `state` and of the message after them:
 * 16 octets. The number of `octetsBefore` is a multiple of 64. node:crypto cannot continue from a
 * state.
 */
export function md5From(state: Uint8Array, octetsBefore: number, message: Uint8Array): Buffer {
  const blocks = padded(message, octetsBefore);
  let current = state;
  for (let offset = 0; offset < blocks.length; offset += BLOCK_OCTETS) {
    current = md5Compress(current, blocks.subarray(offset, offset + BLOCK_OCTETS));
  }
  return Buffer.from(current);
}

/** Returns the state after one more block (RFC 1321 §3.4). The words are little-endian. */
export function md5Compress(state: Uint8Array, block: Uint8Array): Buffer {
  const before = words(state);
  const message = words(block);
  let [a = 0, b = 0, c = 0, d = 0] = before;
  for (const [round, { mix, word, shifts }] of ROUNDS.entries()) {
    for (let step = 0; step < 16; step++) {
      const sum = (a + mix(b, c, d) + (message[word(step)] ?? 0) + (SINES[16 * round + step] ?? 0)) | 0;
      const shift = shifts[step % 4] ?? 0;
      [a, b, c, d] = [d, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0, b, c];
    }
  }
  const after = Buffer.alloc(STATE_OCTETS);
  for (const [index, value] of [a, b, c, d].entries())
    after.writeInt32LE((value + (before[index] ?? 0)) | 0, 4 * index);
  return after;
}

function words(octets: Uint8Array): readonly number[] {
  const { buffer, byteOffset, length } = octets;
  const view = new DataView(buffer, byteOffset, length);
  return Array.from({ length: length / 4 }, (_, index) => view.getInt32(4 * index, true));
}

/** Appends a bit, zeros, and the length of all octets in bits (RFC 1321 §3.1 and §3.2). */
function padded(message: Uint8Array, octetsBefore: number): Buffer {
  const blocks = Math.floor((message.length + 8) / BLOCK_OCTETS) + 1;
  const result = Buffer.alloc(blocks * BLOCK_OCTETS);
  result.set(message);
  result[message.length] = 0x80;
  result.writeBigUInt64LE(BigInt(octetsBefore + message.length) * 8n, result.length - 8);
  return result;
}

/** The octets of a block. */
export const BLOCK_OCTETS = 64;

/** The octets of a state, and of a digest. */
export const STATE_OCTETS = 16;

/** The state before the first block (RFC 1321 §3.3). */
export const INITIAL_STATE: Uint8Array = Buffer.from('0123456789abcdeffedcba9876543210', 'hex');

/** RFC 1321 §3.4: the function of a round, the word of each step, and the bits to rotate by. */
const ROUNDS = [
  {
    mix: (b: number, c: number, d: number) => (b & c) | (~b & d),
    word: (step: number) => step,
    shifts: [7, 12, 17, 22],
  },
  {
    mix: (b: number, c: number, d: number) => (b & d) | (c & ~d),
    word: (step: number) => (5 * step + 1) % 16,
    shifts: [5, 9, 14, 20],
  },
  {
    mix: (b: number, c: number, d: number) => b ^ c ^ d,
    word: (step: number) => (3 * step + 5) % 16,
    shifts: [4, 11, 16, 23],
  },
  {
    mix: (b: number, c: number, d: number) => c ^ (b | ~d),
    word: (step: number) => (7 * step) % 16,
    shifts: [6, 10, 15, 21],
  },
] as const;

/** The table T of RFC 1321 §3.4: the first 32 bits of the sines of 1 to 64 radians. */
const SINES = Array.from({ length: 64 }, (_, index) => Math.floor(2 ** 32 * Math.abs(Math.sin(index + 1))) | 0);
