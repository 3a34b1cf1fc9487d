import { malformed } from './malformed.ts';
import { equalOctets } from './octets.ts';
import type { PasswordHash } from './secret.ts';

/** Returns true for a text that names bcrypt, in a variant that exists or not. */
export function isBcrypt(text: string): boolean {
  return text.startsWith('$2');
}

/**
 * Parses `$2b$12$…` of bcrypt, and the same with `2a` or `2y`, which name one algorithm. `$2x$` and
 * `$2$` name faulty ones and are refused. bcrypt reads the first 72 octets of a password alone:
 * htpasswd and doveadm write such hashes of longer passwords without notice, so the rest of a
 * password is not compared.
 *
 * @throws SecretError for any other text.
 */
export function parseBcrypt(text: string): PasswordHash {
  if (!FORM.test(text)) throw malformed('bcrypt', '$2a$, $2b$ or $2y$, a cost of two digits, and 53 characters');
  const cost = Number(text.slice(4, 6));
  if (cost < MIN_COST || cost > MAX_COST) throw malformed('bcrypt', `a cost from 04 to ${MAX_COST}`);
  return {
    kind: 'hash',
    scheme: 'bcrypt',
    work: { place: 'thread', memory: 0, ...(cost > LIGHT_COST && { heavy: true }) },
    maxOctets: MAX_PASSWORD_OCTETS,
    compare: async (password, threads) =>
      equalOctets(Buffer.from(await threads.bcrypt(password, text)), Buffer.from(text)),
  };
}

/**
 * The 22 characters of the salt have 4 unused bits, and the 31 of the hash have 2. A character
 * with one of these bits is in no hash that a library computes, so the hash would equal nothing.
 */
const FORM = /^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/;

const MAX_PASSWORD_OCTETS = 72;
const MIN_COST = 4;

/**
 * The highest cost: some seconds in JavaScript. Each step doubles the time, and a client does not
 * wait for the next.
 */
const MAX_COST = 15;

/** The highest cost of a hash that is not heavy: half a second. */
const LIGHT_COST = 13;
