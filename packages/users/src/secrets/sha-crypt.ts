import { malformed } from './malformed.ts';
import { type DecimalRange, decimal, equalOctets } from './octets.ts';
import type { PasswordHash } from './secret.ts';

/** Returns true for a text that begins as SHA-crypt: `$5$` or `$6$`. */
export function isShaCrypt(text: string): boolean {
  return text.startsWith('$5$') || text.startsWith('$6$');
}

/**
 * Parses `$5$salt$hash`, `$6$rounds=5000$salt$hash` and their like. libcrypt refuses rounds under
 * 1,000 and leading zeros as well, where other implementations compute another hash.
 *
 * @throws SecretError for any other text.
 */
export function parseShaCrypt(text: string): PasswordHash {
  const { scheme, hash: form, characters } = text.startsWith('$5$') ? SHA256 : SHA512;
  const fields = text.split('$', MAX_FIELDS);
  const rounds = fields[2]?.startsWith('rounds=') ? fields.splice(2, 1)[0] : undefined;
  const number = rounds === undefined ? DEFAULT_ROUNDS : decimal(rounds.slice('rounds='.length), ROUNDS);
  if (number === undefined) {
    throw malformed(scheme, `rounds from ${ROUNDS.min} to ${ROUNDS.max}`);
  }
  const [, , salt = '', hash = '', ...more] = fields;
  if (!SALT.test(salt) || !form.test(hash) || more.length > 0) {
    throw malformed(scheme, `a salt of at most 16 characters and a hash of ${characters}, after a $ each`);
  }
  return {
    kind: 'hash',
    scheme,
    work: { place: 'thread', memory: 0, ...(number > LIGHT_ROUNDS && { heavy: true }) },
    compare: async (password, threads) =>
      equalOctets(Buffer.from(await threads.crypt(password, text)), Buffer.from(text)),
  };
}

/** The last character of a hash encodes 4 bits of SHA-256 or 2 bits of SHA-512. */
const SHA256 = { scheme: 'sha256-crypt', characters: 43, hash: /^[./0-9A-Za-z]{42}[./0-9A-D]$/ };
const SHA512 = { scheme: 'sha512-crypt', characters: 86, hash: /^[./0-9A-Za-z]{85}[./01]$/ };

/** The printable ASCII characters but those that libxcrypt refuses in a setting. */
const SALT = /^[^\0-\x20!$*:;\\\x7f-\uffff]{0,16}$/;

/** Above passlib's default of 656,000: some seconds of work at most. */
const ROUNDS: DecimalRange = { min: 1000, max: 1_000_000 };
const DEFAULT_ROUNDS = 5000;

/** The most rounds of a hash that is not heavy: passlib's default, about a second. */
const LIGHT_ROUNDS = 656_000;

/** One more than the most fields, so that a further `$` shows. */
const MAX_FIELDS = 6;
