import { scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { malformed } from './malformed.ts';
import { equalOctets } from './octets.ts';
import { type PhcShape, parsePhc } from './phc.ts';
import type { PasswordHash } from './secret.ts';

/** Returns true for a PHC string that names scrypt. */
export function isScrypt(text: string): boolean {
  return text.startsWith('$scrypt$');
}

/**
 * Parses `$scrypt$ln=17,r=8,p=1$salt$hash` (RFC 7914), which passlib writes as well. `ln` is the
 * binary logarithm of N.
 *
 * @throws SecretError for a malformed text.
 */
export function parseScrypt(text: string): PasswordHash {
  const { parameters, salt, hash } = parsePhc(text, SHAPE);
  const N = 2 ** (parameters.get('ln') ?? 0);
  const r = parameters.get('r') ?? 0;
  const p = parameters.get('p') ?? 0;
  // The blocks of all p, at most 512 KiB, do not count.
  const memory = BLOCK_OCTETS * r * N;
  if (memory > MAX_MEMORY_OCTETS) throw malformed('scrypt', '128 * N * r of at most 1 GiB');
  if (memory * p > MAX_WORK_OCTETS) throw malformed('scrypt', '128 * N * r * p of at most 4 GiB');
  // Node refuses 32 MiB by default. It counts the blocks of all p as well.
  const maxmem = 2 * memory + BLOCK_OCTETS * r * p;
  return {
    kind: 'hash',
    scheme: 'scrypt',
    work: { place: 'pool', memory, ...(memory * p > LIGHT_WORK_OCTETS && { heavy: true }) },
    compare: async (password) =>
      equalOctets(await scryptOnPool(password, salt, hash.length, { N, r, p, maxmem }), hash),
  };
}

const scryptOnPool = promisify<Uint8Array, Uint8Array, number, Parameters<typeof scrypt>[3], Buffer>(scrypt);

const SHAPE: PhcShape = {
  parameters: new Map([
    ['ln', { min: 1, max: 23 }],
    ['r', { min: 1, max: 64 }],
    ['p', { min: 1, max: 64 }],
  ]),
  saltOctets: { min: 1, max: 1024 },
  hashOctets: { min: 12, max: 64 },
};

/** The octets of one block of r = 1. */
const BLOCK_OCTETS = 128;
const MAX_MEMORY_OCTETS = 2 ** 30;

/** The most octets that one comparison fills: 4 times 1 GiB, some ten seconds. */
const MAX_WORK_OCTETS = 2 ** 32;

/** The most octets that a hash fills which is not heavy: 256 MiB. */
const LIGHT_WORK_OCTETS = 2 ** 28;
