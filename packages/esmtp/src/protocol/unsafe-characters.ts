import { isAscii } from './ascii.ts';

/**
 * Returns true if the text holds a character that a reader does not see and a terminal or a log viewer may obey: C1 controls, line and
 * paragraph separators, and format characters (Cf), bidi controls among them. C0 controls are no part of any grammar here.
 */
export function hasUnsafeCharacter(text: string): boolean {
  return !isAscii(text) && UNSAFE.test(text);
}

/** Returns the text with `?` in place of each unsafe character, for the log and for events. */
export function withoutUnsafeCharacters(text: string): string {
  return isAscii(text) ? text : text.replace(ALL_UNSAFE, '?');
}

const UNSAFE = /[\u0080-\u009f\u2028\u2029\p{Cf}]/u;
const ALL_UNSAFE = new RegExp(UNSAFE, 'gu');
