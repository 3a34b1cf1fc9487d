import { hash } from 'node:crypto';

/**
 * Returns one text for all spellings of a user name that some database may take for the same user:
 * there are databases in which `JOSE ` finds `josé`. Hashed, because the name may be long or a
 * password in the wrong field, and because the store of counts must not reveal names.
 */
export function hashedName(username: string): string {
  return hash('sha256', PLAIN_ASCII.test(username) ? username.toUpperCase() : folded(username), 'base64url');
}

function folded(username: string): string {
  // Lower case first: the upper case of "ß" is "SS", and that of U+1E9E, its capital, is itself.
  return username.normalize('NFKD').replace(IGNORED_CHARACTERS, '').toLowerCase().toUpperCase();
}

/** A name without white space and other characters whose fold is more than its upper case. */
const PLAIN_ASCII = /^[!-~]*$/;

/**
 * Accents, white space and characters without a glyph. SASLprep also removes U+1806, which Unicode
 * counts as a hyphen (RFC 3454, table B.1).
 */
const IGNORED_CHARACTERS = /[\p{M}\p{Default_Ignorable_Code_Point}\s\u1806]/gu;
