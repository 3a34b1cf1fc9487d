import { isUtf8 } from 'node:buffer';
import { preparePassword } from '@postern/sasl';
import { malformed } from './malformed.ts';
import { NO_PASSWORD } from './no-password.ts';
import { decimal, equalOctets } from './octets.ts';
import type { ClearPassword, NoPassword, PasswordHash } from './secret.ts';

/**
 * Returns the secret of a password in clear text, after its prefix. An empty text is no password.
 *
 * @throws SecretError for octets that are no password: not UTF-8, with NUL, or too long.
 */
export function parseClearPassword(octets: Buffer): ClearPassword | NoPassword {
  if (octets.length === 0) return NO_PASSWORD;
  const password = octets.toString();
  if (!isUtf8(octets) || preparePassword(password) === undefined) {
    throw malformed('plain', 'a password in UTF-8 of at most 4,096 octets, without NUL');
  }
  return new StoredPassword(password);
}

/**
 * Parses the value of Dovecot's `{PLAIN-TRUNC}`: `8-password`. A password of exactly that number of
 * octets may have been cut, so that each password that begins with it is right. A shorter one is
 * whole.
 *
 * @throws SecretError for any other text.
 */
export function parseTruncatedPassword(octets: Buffer): ClearPassword | NoPassword | PasswordHash {
  const dash = octets.indexOf('-');
  const length = decimal(octets.toString('latin1', 0, Math.max(dash, 0)), { min: 1, max: MAX_PASSWORD_OCTETS });
  const prefix = octets.subarray(dash + 1);
  if (length === undefined || prefix.length > length) {
    throw malformed(
      'plain-trunc',
      `a length from 1 to ${MAX_PASSWORD_OCTETS}, a dash, and at most that number of octets`,
    );
  }
  if (prefix.length < length) return parseClearPassword(prefix);
  return {
    kind: 'hash',
    scheme: 'plain-trunc',
    work: { place: 'here', memory: 0 },
    maxOctets: length,
    compare: (password) => equalOctets(password.subarray(0, length), prefix),
  };
}

/** Keeps the password out of `util.inspect` and `JSON.stringify`. */
class StoredPassword implements ClearPassword {
  readonly kind = 'clear';
  readonly #password: string;

  constructor(password: string) {
    this.#password = password;
  }

  get password(): string {
    return this.#password;
  }
}

const MAX_PASSWORD_OCTETS = 4096;
