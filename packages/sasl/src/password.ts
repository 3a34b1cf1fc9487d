import { MAX_PASSWORD_OCTETS } from './limits.ts';
import { stringprep } from './saslprep/stringprep.ts';

/**
 * What a string is prepared for (RFC 3454 §7): a `query` is compared with what is stored and may hold code points that Unicode
 * 3.2 did not know; a `stored` string may not.
 */
export type Preparation = 'query' | 'stored';

/**
 * Returns a user name or password in the form in which servers compare it: as SASLprep (RFC 4013)
 * prepares it. Undefined if the text is empty or becomes empty, is longer than 4,096 octets in UTF-8,
 * is no well-formed UTF-16, or contains what SASLprep prohibits, such as control characters.
 */
export function saslprep(text: string, preparation: Preparation): string | undefined {
  if (!fits(text)) return undefined;
  if (text !== '' && isPrintableAscii(text)) return text;
  return text.isWellFormed() ? stringprep(text, { allowUnassigned: preparation === 'query' }) : undefined;
}

/**
 * Returns the form of a password from which SCRAM derives keys: as SASLprep prepares it for storage,
 * or unchanged where SASLprep refuses it. PostgreSQL decides in the same way. Undefined for a text
 * that no server takes for a password: see {@link isPassword}.
 */
export function preparePassword(password: string): string | undefined {
  return isPassword(password) ? (saslprep(password, 'stored') ?? password) : undefined;
}

/** True unless the text is empty, contains NUL, is longer than 4,096 octets, or is no well-formed UTF-16. */
export function isPassword(text: string): boolean {
  return text !== '' && fits(text) && text.isWellFormed() && !text.includes('\0');
}

/** A UTF-16 unit is at least one octet, which bounds the work of counting octets. */
function fits(text: string): boolean {
  return text.length <= MAX_PASSWORD_OCTETS && Buffer.byteLength(text) <= MAX_PASSWORD_OCTETS;
}

/**
 * What SASLprep leaves as it is; nearly every name there is. Not a regular expression: the last that matched keeps its text, which may
 * be a password.
 */
function isPrintableAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}
