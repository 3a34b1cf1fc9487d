/**
 * As much of a WebAssembly assembler as one small function needs. Code is its bytes: those of the operands, then the instruction's
 * own, as in the folded form of the text format.
 */
export type Code = readonly number[];

/** A number. */
export const i32 = (value: number): Code => [0x41, ...signed(value)];
/** What the local of this number holds; parameters come first. */
export const get = (local: number): Code => [0x20, local];
/** Has the local hold the value. */
export const set = (local: number, value: Code): Code => [...value, 0x21, local];
/** The sum, of 32 bits. */
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
/** The bits that are set in either. */
export const or = (a: Code, b: Code): Code => [...a, ...b, 0x72];
/** 1 if they are equal, else 0. */
export const equal = (a: Code, b: Code): Code => [...a, ...b, 0x46];
/** 1 if the first is no larger, else 0. Without signs, as addresses are. */
export const atMost = (a: Code, b: Code): Code => [...a, ...b, 0x4d];
/** 1 for zero, else 0. */
export const not = (a: Code): Code => [...a, 0x45];
/** How many bits below the lowest one that is set. */
export const trailingZeros = (a: Code): Code => [...a, 0x68];
/** The octet in memory at the address and so many further. */
export const loadOctet = (address: Code, offset = 0): Code => [...address, 0x2d, 0, ...unsigned(offset)];
/** Puts 32 bits into memory, the lowest first. */
export const storeWord = (address: number, value: Code): Code => [...i32(address), ...value, 0x36, 2, 0];

/** Sixteen octets at once. */
export const vector = {
  load: (address: Code, offset: number): Code => [...address, 0xfd, 0, 0, ...unsigned(offset)],
  store: (address: Code, offset: number, value: Code): Code => [...address, ...value, 0xfd, 11, 0, ...unsigned(offset)],
  /** The octet, sixteen times. */
  splat: (octet: number): Code => [...i32(octet), 0xfd, 15],
  /** All ones where the octets are equal, all zeros where they are not. */
  equal: (a: Code, b: Code): Code => [...a, ...b, 0xfd, 35],
  and: (a: Code, b: Code): Code => [...a, ...b, 0xfd, 78],
  or: (a: Code, b: Code): Code => [...a, ...b, 0xfd, 80],
  xor: (a: Code, b: Code): Code => [...a, ...b, 0xfd, 81],
  anyTrue: (a: Code): Code => [...a, 0xfd, 83],
  /** The top bit of every octet, the first octet's lowest. */
  bitmask: (a: Code): Code => [...a, 0xfd, 100],
};

/** Does this once, and again wherever it says {@link again}. */
export const loop = (...body: readonly Code[]): Code => [0x03, NOTHING, ...body.flat(), END];
/** Does the one if the condition is not 0, else the other. */
export const when = (condition: Code, then: readonly Code[], otherwise: readonly Code[] = []): Code => [
  ...condition,
  0x04,
  NOTHING,
  ...then.flat(),
  0x05,
  ...otherwise.flat(),
  END,
];
/** Back to the beginning of the loop that is so many loops and whens further out. */
export const again = (depth: number): Code => [0x0c, depth];
/** Returns from the function. */
export const leave: Code = [0x0f];

/** What a module offers. */
export interface Instance {
  readonly exports: {
    readonly memory: { readonly buffer: ArrayBuffer };
    readonly run: (...parameters: number[]) => void;
  };
}

/** A module with one function `run`, from i32s to nothing, and so many 64 KiB pages of `memory`. Throws if the machine cannot do it. */
export function instantiate(
  parameters: number,
  locals: { readonly i32: number; readonly v128: number },
  pages: number,
  body: readonly Code[],
): Instance {
  const code = [2, locals.i32, I32, locals.v128, V128, ...body.flat(), END];
  const type = [0x60, parameters, ...Array.from({ length: parameters }, () => I32), 0];
  const bytes = Uint8Array.from([
    ...HEADER,
    ...section(1, [1, ...type]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, pages]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('run'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
  return new WebAssembly.Instance(new WebAssembly.Module(bytes));
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text)];
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}

/** Node has it, but its types do not. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => Instance;
};

/** The magic number, and version 1. */
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const I32 = 0x7f;
const V128 = 0x7b;
/** The type of a block that leaves nothing behind. */
const NOTHING = 0x40;
const END = 0x0b;
