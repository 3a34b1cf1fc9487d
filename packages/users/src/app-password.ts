import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { AppPassword } from './user-record.ts';

/** A new application password, and its record to store. */
export interface NewAppPassword {
  /** The password in clear text: show it to the user once. */
  readonly password: string;
  readonly record: AppPassword;
}

/**
 * Makes an application password: its text by {@link generatePassword}, and its record with a
 * salted hash. The hash is fast, since no attacker can guess 128 random bits.
 *
 * @example
 * ```ts
 * import { generateAppPassword, type UserDatabase } from '@postern/users';
 *
 * declare const users: UserDatabase;
 * const { password, record } = generateAppPassword('phone', { scopes: ['imap', 'smtp'] });
 * await users.update('joe', (user) => {
 *   return { ...user, appPasswords: [...(user.appPasswords ?? []), record] };
 * });
 * console.log(password);
 * ```
 */
export function generateAppPassword(
  name: string,
  options: Pick<AppPassword, 'scopes' | 'expires'> = {},
): NewAppPassword {
  const password = generatePassword();
  const salt = randomBytes(16);
  const digest = createHash('sha512').update(password).update(salt).digest();
  const secrets = [`{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`];
  return { password, record: { name, secrets, ...options } };
}

/**
 * Returns a random password of 135 bits that is easy to read and to type: six groups of five small
 * letters, without `i`, `l` and `o`.
 */
export function generatePassword(): string {
  const group = (): string => Array.from({ length: 5 }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('');
  return Array.from({ length: 6 }, group).join('-');
}

/** 23 letters: log2(23) = 4.52 bits each. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz';
