/**
 * Returns true if the text may be trace information (RFC 4505 §2): empty, an e-mail address, or up
 * to 255 characters without `@`, of those that the "trace" profile of stringprep allows (§3). An
 * address has at most 255 characters as well.
 */
export function isTrace(text: string): boolean {
  if (text.length > 2 * MAX_CHARACTERS || !text.isWellFormed() || PROHIBITED.test(text)) return false;
  if (Array.from(text).length > MAX_CHARACTERS) return false;
  if (text.includes('@') && !ADDRESS.test(text)) return false;
  return !RIGHT_TO_LEFT.test(text) || (!LEFT_TO_RIGHT.test(text) && RIGHT_TO_LEFT_AT_BOTH_ENDS.test(text));
}

const MAX_CHARACTERS = 255;

/**
 * At least one character on both sides of the last `@`. A quoted local part may contain any
 * character.
 */
const ADDRESS = /[^@]@[^@]+$/s;

/** The characters of RFC 3454, tables C.2.1, C.2.2, C.3, C.4, C.5, C.6, C.8 and C.9. */
const PROHIBITED =
  /[\u0340\u0341\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u06dd\u070f\u180e\u200c-\u200f\u2028-\u202e\u2060-\u2063\u206a-\u206f\ufeff\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;

/**
 * The characters of RFC 3454, table D.1, without its one code point of category Cf, which is
 * prohibited.
 */
const RTL =
  '\\u05be\\u05c0\\u05c3\\u05d0-\\u05ea\\u05f0-\\u05f4\\u061b\\u061f\\u0621-\\u063a\\u0640-\\u064a\\u066d-\\u066f\\u0671-\\u06d5\\u06e5\\u06e6\\u06fa-\\u06fe\\u0700-\\u070d\\u0710\\u0712-\\u072c\\u0780-\\u07a5\\u07b1\\ufb1d\\ufb1f-\\ufb28\\ufb2a-\\ufb36\\ufb38-\\ufb3c\\ufb3e\\ufb40\\ufb41\\ufb43\\ufb44\\ufb46-\\ufbb1\\ufbd3-\\ufd3d\\ufd50-\\ufd8f\\ufd92-\\ufdc7\\ufdf0-\\ufdfc\\ufe70-\\ufe74\\ufe76-\\ufefc';
const RIGHT_TO_LEFT = new RegExp(`[${RTL}]`, 'u');
const RIGHT_TO_LEFT_AT_BOTH_ENDS = new RegExp(`^[${RTL}](?:.*[${RTL}])?$`, 'su');

/** Each letter outside table D.1. Table D.2 adds digits and signs of a few scripts, and is long. */
const LEFT_TO_RIGHT = new RegExp(`(?![${RTL}])\\p{L}`, 'u');
