/**
 * The state of MD5 (RFC 1321) between two blocks, from which node:crypto cannot start. The stored
 * keys of CRAM-MD5 are two such states.
 */
export type Md5State = readonly [a: number, b: number, c: number, d: number];

/** The state before the first block. */
export const MD5_START: Md5State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/** The octets of one block. */
export const MD5_BLOCK_OCTETS = 64;

/** Reads a state of 16 octets, the lowest octet of each word first. */
export function readMd5State(octets: Buffer, offset: number): Md5State {
  return [0, 4, 8, 12].map((index) => octets.readUInt32LE(offset + index)) as unknown as Md5State;
}

/** Returns a state as 16 octets. At the end of a message they are its digest. */
export function formatMd5State(state: Md5State): Buffer {
  const octets = Buffer.alloc(16);
  for (const [index, word] of state.entries()) octets.writeUInt32LE(word >>> 0, 4 * index);
  return octets;
}

/** Returns the digest of a message whose first `before` octets, whole blocks, led to the state. */
export function md5From(state: Md5State, rest: Uint8Array, before: number): Buffer {
  const blocks = Math.ceil((rest.length + 9) / MD5_BLOCK_OCTETS);
  const padded = Buffer.alloc(blocks * MD5_BLOCK_OCTETS);
  padded.set(rest);
  padded[rest.length] = 0x80;
  padded.writeBigUInt64LE(BigInt(before + rest.length) * 8n, padded.length - 8);
  let current = state;
  for (let offset = 0; offset < padded.length; offset += MD5_BLOCK_OCTETS) {
    current = md5Block(current, padded, offset);
  }
  return formatMd5State(current);
}

/** Returns the state after one more block of 64 octets (RFC 1321 §3.4). */
export function md5Block(state: Md5State, octets: Buffer, offset = 0): Md5State {
  let [a, b, c, d] = state;
  for (let step = 0; step < 64; step += 1) {
    const round = step >>> 4;
    const [mixed, word] = mix(round, step, b, c, d);
    const sum = (a + mixed + (CONSTANTS[step] ?? 0) + octets.readUInt32LE(offset + 4 * word)) | 0;
    const shift = SHIFTS[4 * round + (step & 3)] ?? 0;
    [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
  }
  return [state[0] + a, state[1] + b, state[2] + c, state[3] + d].map((word) => word | 0) as unknown as Md5State;
}

/** Returns the value of the round's function, and the number of the word of the block. */
function mix(round: number, step: number, b: number, c: number, d: number): [value: number, word: number] {
  if (round === 0) return [(b & c) | (~b & d), step];
  if (round === 1) return [(b & d) | (c & ~d), (5 * step + 1) & 15];
  if (round === 2) return [b ^ c ^ d, (3 * step + 5) & 15];
  return [c ^ (b | ~d), (7 * step) & 15];
}

const CONSTANTS: readonly number[] = Array.from({ length: 64 }, (_, index) =>
  Math.floor(2 ** 32 * Math.abs(Math.sin(index + 1))),
);

const SHIFTS: readonly number[] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
