import * as crypto from 'node:crypto';
import { SecretError } from '../errors.ts';
import { malformed } from './malformed.ts';
import { encodeUnpadded, equalOctets } from './octets.ts';
import { type PhcShape, parsePhc } from './phc.ts';
import type { HashWork, PasswordHash } from './secret.ts';

/** The three variants of argon2 (RFC 9106 §3.1), as PHC strings name them. */
export type Argon2Type = 'argon2id' | 'argon2i' | 'argon2d';

/** The cost of an argon2 hash. */
export interface Argon2Cost {
  /** The memory in KiB: `m` of the PHC string. */
  readonly memory: number;
  /** The number of passes over the memory: `t` of the PHC string. */
  readonly passes: number;
  /** The number of lanes: `p` of the PHC string. */
  readonly parallelism: number;
}

/** An argon2 hash with all its parameters. */
export interface Argon2Hash extends Argon2Cost {
  readonly type: Argon2Type;
  /** 19 of RFC 9106, or 16 of the version before it. */
  readonly version: 16 | 19;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Returns true for a PHC string that names argon2, in any variant. */
export function isArgon2(text: string): boolean {
  return typeOf(text) !== undefined;
}

/**
 * Parses `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, and the same with `argon2i` or `argon2d`.
 *
 * @throws SecretError for a malformed text, and if no library here computes this version.
 */
export function parseArgon2(text: string): PasswordHash {
  const parsed = readArgon2(text);
  const compute = argon2Of(parsed.version);
  return {
    kind: 'hash',
    scheme: parsed.type,
    work: argon2Work(parsed),
    compare: async (password) => equalOctets(await compute(password, parsed), parsed.hash),
  };
}

/**
 * Reads the parameters of an argon2 hash, whether a library here computes it or not.
 *
 * @throws SecretError for a malformed text.
 */
export function readArgon2(text: string): Argon2Hash {
  const type = typeOf(text);
  if (type === undefined) throw malformed('argon2', '$argon2id$, $argon2i$ or $argon2d$');
  const { version, parameters, salt, hash } = parsePhc(text, SHAPE);
  const memory = parameters.get('m') ?? 0;
  const passes = parameters.get('t') ?? 0;
  const parallelism = parameters.get('p') ?? 0;
  if (memory < parallelism * MIN_LANE_KIB) throw malformed(type, 'm of at least 8 times p (RFC 9106 §3.1)');
  if (memory * passes > MAX_KIB_PASSES) throw malformed(type, `m times t of at most ${MAX_KIB_PASSES}`);
  // A string without a version is older than the field: it means version 16.
  return { type, version: version === 19 ? 19 : 16, memory, passes, parallelism, salt, hash };
}

/**
 * Resolves to a new argon2id hash as a PHC string. libargon2, Dovecot and passlib read its
 * parameters in the order m, t, p alone.
 *
 * @throws SecretError if no library here computes argon2id.
 */
export async function hashArgon2id(password: Uint8Array, cost: Argon2Cost): Promise<string> {
  const { memory, passes, parallelism } = cost;
  const salt = crypto.randomBytes(NEW_SALT_OCTETS);
  const blank: Argon2Hash = { ...cost, type: 'argon2id', version: 19, salt, hash: Buffer.alloc(NEW_HASH_OCTETS) };
  const hash = await argon2Of(19)(password, blank);
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${encodeUnpadded(salt)}$${encodeUnpadded(hash)}`;
}

/** Returns the resources of one hash of this cost. */
export function argon2Work({ memory, passes }: Argon2Cost): HashWork {
  const heavy = memory > LIGHT_KIB || memory * passes > LIGHT_KIB_PASSES;
  return { place: 'pool', memory: memory * KIB_OCTETS, ...(heavy && { heavy }) };
}

/**
 * Checks the cost of new hashes.
 *
 * @throws RangeError for a cost that {@link parseArgon2} would refuse.
 */
export function checkArgon2Cost({ memory, passes, parallelism }: Argon2Cost): void {
  const blank = `$${encodeUnpadded(Buffer.alloc(NEW_SALT_OCTETS))}$${encodeUnpadded(Buffer.alloc(NEW_HASH_OCTETS))}`;
  try {
    readArgon2(`$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}${blank}`);
  } catch (error) {
    throw new RangeError('the cost of argon2id is out of range', { cause: error });
  }
}

function typeOf(text: string): Argon2Type | undefined {
  return TYPES.find((type) => text.startsWith(`$${type}$`));
}

type Argon2 = (password: Uint8Array, parameters: Argon2Hash) => Promise<Uint8Array>;

/** Returns the function that computes this version, both on libuv's pool. */
function argon2Of(version: Argon2Hash['version']): Argon2 {
  // node:crypto has argon2 from 24.7, and computes version 19 whatever it is asked for.
  const native = (crypto as { readonly argon2?: NativeArgon2 }).argon2;
  return version === 19 && native !== undefined ? throughNode(native) : throughPackage(version);
}

function throughNode(native: NativeArgon2): Argon2 {
  return (password, { type, memory, passes, parallelism, salt, hash }) =>
    new Promise((resolve, reject) => {
      const parameters = { message: password, nonce: salt, memory, passes, parallelism, tagLength: hash.length };
      native(type, parameters, (error, derived) => {
        if (error) reject(error);
        else resolve(derived);
      });
    });
}

function throughPackage(version: Argon2Hash['version']): Argon2 {
  requirePackage(version);
  return async (password, { type, memory, passes, parallelism, salt, hash }) => {
    const { hashRaw } = await import('@node-rs/argon2');
    return hashRaw(password, {
      algorithm: PACKAGE_TYPES[type],
      version: version === 19 ? 1 : 0,
      memoryCost: memory,
      timeCost: passes,
      parallelism,
      salt,
      outputLen: hash.length,
    });
  };
}

/** Refuses a hash that no package here computes, before a user depends on it. */
function requirePackage(version: Argon2Hash['version']): void {
  try {
    import.meta.resolve('@node-rs/argon2');
  } catch (cause) {
    const remedy = version === 19 ? 'Node 24.7 or the package @node-rs/argon2' : 'the package @node-rs/argon2';
    throw new SecretError('unavailable-scheme', `argon2 of version ${version} needs ${remedy}`, { cause });
  }
}

/** The function `argon2` of node:crypto. */
type NativeArgon2 = (
  type: Argon2Type,
  parameters: {
    readonly message: Uint8Array;
    readonly nonce: Uint8Array;
    readonly memory: number;
    readonly passes: number;
    readonly parallelism: number;
    readonly tagLength: number;
  },
  callback: (error: Error | null, derived: Buffer) => void,
) => void;

const TYPES: readonly Argon2Type[] = ['argon2id', 'argon2i', 'argon2d'];

/** The numbers of the variants in @node-rs/argon2, whose enum exists only for the compiler. */
const PACKAGE_TYPES = { argon2d: 0, argon2i: 1, argon2id: 2 } as const;

/**
 * The ranges of RFC 9106 §3.1 with upper bounds. `doveadm pw -r 4` writes 1 GiB. The PHC format of
 * argon2 allows hashes of 12 to 64 octets.
 */
const SHAPE: PhcShape = {
  versions: [16, 19],
  parameters: new Map([
    ['m', { min: 8, max: 1_048_576 }],
    ['t', { min: 1, max: 1000 }],
    ['p', { min: 1, max: 255 }],
  ]),
  saltOctets: { min: 8, max: 64 },
  hashOctets: { min: 12, max: 64 },
};

const MIN_LANE_KIB = 8;

/**
 * The most work of one comparison: 4 passes over 1 GiB, as libsodium's `SENSITIVE` has. It takes
 * some seconds, and other logins wait for the memory that long.
 */
const MAX_KIB_PASSES = 4 * 1_048_576;

/** The most memory and work of a hash that is not heavy: 256 MiB, and 4 passes over it. */
const LIGHT_KIB = 262_144;
const LIGHT_KIB_PASSES = 4 * LIGHT_KIB;

const KIB_OCTETS = 1024;
const NEW_SALT_OCTETS = 16;
const NEW_HASH_OCTETS = 32;
