import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { malformed } from './malformed.ts';
import { decimal, decodeAdapted, decodeHex, equalOctets } from './octets.ts';
import { type PhcParameter, type PhcShape, parsePhc } from './phc.ts';
import type { PasswordHash } from './secret.ts';

/** Returns true for `$pbkdf2$`, `$pbkdf2-sha1$`, `$pbkdf2-sha256$` and `$pbkdf2-sha512$`. */
export function isPbkdf2(text: string): boolean {
  return text.startsWith('$') && DIGESTS.has(nameOf(text));
}

/**
 * Parses `$pbkdf2-sha256$i=600000,l=32$salt$hash`, a PHC string, and
 * `$pbkdf2-sha256$29000$salt$hash` of passlib. The parameter `l` is optional.
 *
 * @throws SecretError for a malformed text.
 */
export function parsePbkdf2(text: string): PasswordHash {
  const name = nameOf(text);
  const parameters = text.slice(name.length + 2);
  if (DIGIT.test(parameters)) return parseAdaptedPbkdf2(name, parameters);
  const { parameters: numbers, salt, hash } = parsePhc(text, SHAPE);
  const length = numbers.get('l');
  if (length !== undefined && length !== hash.length) throw malformed(name, 'l to be the length of the hash');
  return pbkdf2Hash(name, { salt, iterations: numbers.get('i') ?? 0, hash });
}

/**
 * Parses `10000$salt$hash` of passlib and of OpenLDAP's `{PBKDF2-SHA256}`, with passlib's adapted
 * base64. `name` is a name of the scheme in lower case.
 *
 * @throws SecretError for a malformed text.
 */
export function parseAdaptedPbkdf2(name: string, text: string): PasswordHash {
  const [rounds, encodedSalt, encodedHash, ...more] = text.split('$', 4);
  const iterations = decimal(rounds, ITERATIONS);
  if (iterations === undefined) throw malformed(name, `${ITERATIONS.min} to ${ITERATIONS.max} rounds`);
  const salt = decodeAdapted(encodedSalt ?? '');
  const hash = decodeAdapted(encodedHash ?? '');
  if (salt === undefined || hash === undefined || hash.length !== DIGESTS.get(name)?.octets || more.length > 0) {
    throw malformed(name, 'rounds, a salt and a whole digest, with $ between them, in adapted base64');
  }
  return pbkdf2Hash(name, { salt, iterations, hash });
}

/**
 * Parses `$1$salt$5000$hash` of Dovecot's `{PBKDF2}`: SHA-1 with the characters of the salt and a
 * hash of 20 octets in hexadecimal digits.
 *
 * @throws SecretError for a malformed text.
 */
export function parseDovecotPbkdf2(text: string): PasswordHash {
  const [, version, salt, rounds, digits, ...more] = text.split('$', 6);
  const iterations = decimal(rounds, ITERATIONS);
  const hash = decodeHex(digits ?? '');
  if (version !== '1' || !salt || iterations === undefined || hash?.length !== SHA1_OCTETS || more.length > 0) {
    throw malformed('pbkdf2', '$1$, a salt, the rounds and 40 hexadecimal digits, with $ between them');
  }
  return pbkdf2Hash('pbkdf2', { salt: Buffer.from(salt), iterations, hash });
}

interface Pbkdf2Parameters {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly hash: Buffer;
}

function pbkdf2Hash(name: string, { salt, iterations, hash }: Pbkdf2Parameters): PasswordHash {
  const { digest, octets } = DIGESTS.get(name) ?? SHA1;
  if (salt.length === 0 || salt.length > MAX_SALT_OCTETS)
    throw malformed(name, `a salt of 1 to ${MAX_SALT_OCTETS} octets`);
  // Each further block of the hash costs all iterations again (RFC 8018 §5.2).
  if (hash.length > octets) throw malformed(name, `a hash of at most ${octets} octets, one digest`);
  return {
    kind: 'hash',
    scheme: `pbkdf2-${digest}`,
    work: { place: 'pool', memory: 0, ...(iterations > LIGHT_ITERATIONS && { heavy: true }) },
    compare: async (password) => equalOctets(await pbkdf2OnPool(password, salt, iterations, hash.length, digest), hash),
  };
}

function nameOf(text: string): string {
  return text.slice(1, text.indexOf('$', 1));
}

const pbkdf2OnPool = promisify(pbkdf2);

const SHA1_OCTETS = 20;
const SHA1 = { digest: 'sha1', octets: SHA1_OCTETS };

/** The names of passlib, PHC strings and OpenLDAP in lower case. */
const DIGESTS: ReadonlyMap<string, { readonly digest: string; readonly octets: number }> = new Map([
  ['pbkdf2', SHA1],
  ['pbkdf2-sha1', SHA1],
  ['pbkdf2-sha256', { digest: 'sha256', octets: 32 }],
  ['pbkdf2-sha512', { digest: 'sha512', octets: 64 }],
]);

/** The same upper bound as for SCRAM: some seconds of work. */
const ITERATIONS = { min: 1, max: 10_000_000 };

/** The most iterations of a hash that is not heavy: about a second. */
const LIGHT_ITERATIONS = 2_000_000;

const SHAPE: PhcShape = {
  parameters: new Map<string, PhcParameter>([
    ['i', ITERATIONS],
    ['l', { min: 12, max: 64, optional: true }],
  ]),
  saltOctets: { min: 1, max: 1024 },
  hashOctets: { min: 12, max: 64 },
};

const MAX_SALT_OCTETS = 1024;
const DIGIT = /^[0-9]/;
