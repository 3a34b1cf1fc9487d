import { saslprep } from './saslprep/saslprep.ts';

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
export function prepare(text: string, preparation: Preparation): string | undefined {
  // Each UTF-16 unit is at least one octet, so this bounds the work of counting.
  if (text.length > MAX_OCTETS) return undefined;
  if (text !== '' && isPrintableAscii(text)) return text;
  if (!text.isWellFormed() || Buffer.byteLength(text) > MAX_OCTETS) return undefined;
  return saslprep(text, { allowUnassigned: preparation === 'query' });
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

/** Octets of the longest text that SASLprep is asked about. */
const MAX_OCTETS = 4096;
