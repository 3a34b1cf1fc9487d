import { type HashWork, SecretError } from '@postern/users';
import { readParameters } from './yescrypt-parameters.ts';

/**
 * Returns the resources of a hash, or undefined for a setting whose parameters are malformed. A
 * setting is a whole hash, or its beginning up to the salt.
 *
 * @throws SecretError if the setting needs more memory or time than a login may.
 */
export function workOf(setting: string): HashWork | undefined {
  if (/^\$(y|gy|7)\$/.test(setting)) return memoryHard(setting);
  for (const { scheme, cost, light, max } of COSTS) {
    const [, value] = cost.exec(setting) ?? [];
    if (value === undefined) continue;
    if (Number(value) <= max) return { place: 'pool', memory: 0, ...(Number(value) > light && { heavy: true }) };
    throw new SecretError('malformed-secret', `a ${scheme} hash with a cost of ${value}: the highest cost is ${max}`);
  }
  return { place: 'pool', memory: 0 };
}

function memoryHard(setting: string): HashWork | undefined {
  const parameters = readParameters(setting);
  if (parameters === undefined) return undefined;
  const { n, r, p, t } = parameters;
  const memory = 128 * n * r;
  if (memory > MAX_MEMORY_OCTETS) {
    throw new SecretError('malformed-secret', `a hash that needs ${memory / 2 ** 20} MiB: the most is 1024 MiB`);
  }
  if (memory * p * (1 + t) > MAX_TOTAL_OCTETS) {
    throw new SecretError('malformed-secret', `a hash with p=${p} and t=${t}, which takes too long`);
  }
  const heavy = memory * p * (1 + t) > LIGHT_TOTAL_OCTETS;
  return { place: 'pool', memory: memory < 2 ** 20 ? 0 : memory, ...(heavy && { heavy }) };
}

/**
 * The highest cost of each scheme with a cost: some ten seconds on a processor of 2020. A cost
 * above `light` is heavy: about a second.
 */
const COSTS = [
  { scheme: 'bcrypt', cost: /^\$2[abxy]\$(\d\d)\$/, light: 13, max: 17 },
  { scheme: 'SHA-crypt', cost: /^\$[56]\$rounds=(\d+)\$/, light: 1_000_000, max: 10_000_000 },
  { scheme: 'sha1crypt', cost: /^\$sha1\$(\d+)\$/, light: 1_000_000, max: 10_000_000 },
  { scheme: 'SunMD5', cost: /^\$md5,rounds=(\d+)\$/, light: 100_000, max: 1_000_000 },
];

/** The memory of yescrypt with cost 11, the highest of crypt_gensalt(3). */
const MAX_MEMORY_OCTETS = 2 ** 30;

/** The memory that is filled in all passes. */
const MAX_TOTAL_OCTETS = 2 ** 32;

/** The memory that a hash fills which is not heavy. */
const LIGHT_TOTAL_OCTETS = 2 ** 28;
