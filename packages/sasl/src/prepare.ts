import saslprep from '@mongodb-js/saslprep';

/**
 * What a string is prepared for (RFC 3454 §7): a `query` is compared with what is stored and may hold code points that Unicode
 * 3.2 did not know; a `stored` string may not.
 */
export type Preparation = 'query' | 'stored';

/**
 * A user name or password in the one form in which it is compared, after SASLprep (RFC 4013); undefined if it has none: it is
 * empty or becomes empty, is longer than 1024 UTF-16 units, or holds what SASLprep prohibits, such as control characters.
 * Normalization follows the Unicode of this Node: a few characters younger than Unicode 3.2 are mapped where they had to be refused.
 */
export function prepare(text: string, preparation: Preparation): string | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  if (text !== '' && isPrintableAscii(text)) return text;
  if (!text.isWellFormed()) return undefined;
  try {
    // The library throws at what is prohibited, and a TypeError at a text that maps to nothing.
    return saslprep(text, { allowUnassigned: preparation === 'query' }) || undefined;
  } catch {
    return undefined;
  }
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

const MAX_LENGTH = 1024;
