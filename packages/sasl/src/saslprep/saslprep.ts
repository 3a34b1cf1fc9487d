import { stringprep } from './stringprep.ts';

/**
 * The purpose of a preparation (RFC 3454 §7). A `query` is compared with what is stored and may
 * contain code points that Unicode 3.2 does not assign. A `stored` string may not.
 */
export type Preparation = 'query' | 'stored';

/**
 * Returns a user name or password in the form in which servers compare it, as SASLprep (RFC 4013)
 * prepares it. Returns undefined if the text is empty or becomes empty, or is longer than 4,096
 * octets in UTF-8. Returns undefined for malformed UTF-16 and for a character that SASLprep
 * prohibits.
 */
export function saslprep(text: string, preparation: Preparation): string | undefined {
  // Printable ASCII stays as it is, and each of its characters is one octet.
  if (text !== '' && text.length <= MAX_PASSWORD_OCTETS && isPrintableAscii(text)) return text;
  return fitsPassword(text) && text.isWellFormed()
    ? stringprep(text, { allowUnassigned: preparation === 'query' })
    : undefined;
}

/** Returns true if the text has at most {@link MAX_PASSWORD_OCTETS} octets in UTF-8. */
export function fitsPassword(text: string): boolean {
  // A UTF-16 unit is at least one octet: the first test bounds the work of the second.
  return text.length <= MAX_PASSWORD_OCTETS && Buffer.byteLength(text) <= MAX_PASSWORD_OCTETS;
}

/**
 * Returns true for text that SASLprep leaves as it is, as it does nearly every name. A regular
 * expression would be shorter, but V8 keeps the last text that matched one, which may be a
 * password.
 */
function isPrintableAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** The longest password in octets of UTF-8. Some services use signed tokens as passwords. */
const MAX_PASSWORD_OCTETS = 4096;
