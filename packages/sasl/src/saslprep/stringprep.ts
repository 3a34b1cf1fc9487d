import { LEFT_TO_RIGHT, MAPPED_TO_NOTHING, NON_ASCII_SPACES, PROHIBITED, RIGHT_TO_LEFT, UNASSIGNED } from './tables.ts';

/**
 * Returns the text as the SASLprep profile (RFC 4013) of stringprep (RFC 3454) prepares it. Returns
 * undefined if the profile refuses the text or leaves nothing of it. The text must be well-formed
 * UTF-16. The time is linear in its length.
 *
 * The checks come before the normalization, as in PostgreSQL, because stored secrets come from
 * there. RFC 4013 §2 has them after it. The order matters for U+0340 and U+0341, and for a few
 * symbols that normalize to Latin letters beside right-to-left letters.
 *
 * `allowUnassigned` keeps code points that Unicode 3.2 does not assign as they are (RFC 3454 §7).
 */
export function stringprep(
  text: string,
  { allowUnassigned }: { readonly allowUnassigned: boolean },
): string | undefined {
  const mapped = map(text);
  const codePoints = Array.from(mapped, (character) => character.codePointAt(0) as number);
  if (codePoints.length === 0 || codePoints.some((codePoint) => PROHIBITED.has(codePoint))) return undefined;
  if (!isDirectional(codePoints)) return undefined;
  if (!codePoints.some((codePoint) => UNASSIGNED.has(codePoint))) return mapped.normalize('NFKC');
  return allowUnassigned ? normalizeAssigned(mapped) : undefined;
}

/** Applies RFC 4013 §2.1. U+200B is in both tables, and becomes a space, as in PostgreSQL. */
function map(text: string): string {
  let mapped = '';
  for (const character of text) {
    const codePoint = character.codePointAt(0) as number;
    if (NON_ASCII_SPACES.has(codePoint)) mapped += ' ';
    else if (!MAPPED_TO_NOTHING.has(codePoint)) mapped += character;
  }
  return mapped;
}

/**
 * Returns true if the text obeys RFC 3454 §6: right-to-left text contains no left-to-right letter,
 * and begins and ends right-to-left.
 */
function isDirectional(codePoints: readonly number[]): boolean {
  if (!codePoints.some((codePoint) => RIGHT_TO_LEFT.has(codePoint))) return true;
  if (codePoints.some((codePoint) => LEFT_TO_RIGHT.has(codePoint))) return false;
  return [codePoints[0], codePoints.at(-1)].every((end) => end !== undefined && RIGHT_TO_LEFT.has(end));
}

/**
 * Normalizes as Unicode 3.2 does. A newer Unicode would change code points that 3.2 does not
 * assign.
 */
function normalizeAssigned(text: string): string {
  let [normalized, run] = ['', ''];
  for (const character of text) {
    if (UNASSIGNED.has(character.codePointAt(0) as number)) {
      normalized += run.normalize('NFKC') + character;
      run = '';
    } else {
      run += character;
    }
  }
  return normalized + run.normalize('NFKC');
}
