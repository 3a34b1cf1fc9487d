/**
 * The members of a string that the scanners of addresses use. A test passes an object that counts
 * its calls.
 */
export interface Characters {
  readonly length: number;
  charCodeAt(index: number): number;
  slice(from: number, to?: number): string;
}

/**
 * Returns true if the text is ASCII. For texts of a command's length a loop is faster than a
 * regular expression.
 */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

/** Returns true if each character of the text is printable ASCII or a space. */
export function isPrintableAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/**
 * Returns true if the text holds an invisible character that a terminal or a log viewer may obey: a
 * C1 control, a line or paragraph separator, or a format character (Cf, bidi controls included).
 * C0 controls are not checked: every grammar here excludes them.
 */
export function hasUnsafeCharacter(text: string): boolean {
  return !isAscii(text) && UNSAFE.test(text);
}

/**
 * Returns the text with `?` in place of each character that {@link hasUnsafeCharacter} finds, for
 * logs and events.
 */
export function replaceUnsafeCharacters(text: string): string {
  return isAscii(text) ? text : text.replace(ALL_UNSAFE, '?');
}

/** Returns true if the text has more than `maxOctets` octets in UTF-8. */
export function exceedsOctets(text: string, maxOctets: number): boolean {
  // A UTF-16 unit takes at most three octets.
  return text.length * 3 > maxOctets && Buffer.byteLength(text) > maxOctets;
}

const UNSAFE = /[\u0080-\u009f\u2028\u2029\p{Cf}]/u;
const ALL_UNSAFE = new RegExp(UNSAFE, 'gu');
