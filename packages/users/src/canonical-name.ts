import { saslprep } from '@postern/sasl';

/**
 * Returns the form of a user name by which stores find it: as SASLprep prepares it, in lower case.
 * `Joe` and `joe` are one user: phones capitalize the first letter, and on many file systems two
 * such Maildirs would be one. Returns undefined for a text that can be no name: empty, longer than
 * 1,024 octets, or with a character that SASLprep prohibits.
 */
export function canonicalName(name: string): string | undefined {
  if (Buffer.byteLength(name) > MAX_NAME_OCTETS) return undefined;
  const prepared = saslprep(name, 'query');
  // A second preparation: the lower case of a prepared text may need one itself (U+0130).
  return prepared === undefined ? undefined : saslprep(prepared.toLowerCase(), 'query');
}

/** The longest name in octets of UTF-8, as in the SASL mechanisms. */
export const MAX_NAME_OCTETS = 1024;
