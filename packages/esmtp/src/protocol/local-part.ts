import type { AddressFault } from './address-faults.ts';
import type { Characters } from './characters.ts';
import { isLetterOrDigit } from './domain.ts';

/** Returns true if the local part needs no quotes (Dot-string, RFC 5321 §4.1.2). */
export function isDotString(localPart: string): boolean {
  return localPart !== '' && endOfAtoms(localPart, 0) === localPart.length && !hasLooseDots(localPart);
}

/** Returns true if a text of atoms and dots begins or ends with a dot, or has two dots in a row. */
export function hasLooseDots(atoms: string): boolean {
  return atoms.startsWith('.') || atoms.endsWith('.') || atoms.includes('..');
}

/** Returns the index behind the atoms and dots that begin at `from`. */
export function endOfAtoms(text: Characters, from: number): number {
  let index = from;
  for (let code = text.charCodeAt(index); isAtomCharacter(code) || code === DOT; code = text.charCodeAt(index)) index++;
  return index;
}

/**
 * Returns the index behind the Quoted-string whose opening quote is at `from`, or the fault of that
 * string.
 */
export function endOfQuoted(text: Characters, from: number): number | AddressFault {
  for (let index = from + 1; index < text.length; index++) {
    let code = text.charCodeAt(index);
    if (code === QUOTE) return index + 1;
    const isEscaped = code === BACKSLASH;
    if (isEscaped) code = text.charCodeAt(++index);
    // A quoted-pair escapes printable ASCII only (RFC 5321 §4.1.2).
    if (code < 0x20 || code === 0x7f || (isEscaped && code > 0x7f)) return 'quoted-character';
  }
  return 'no-closing-quote';
}

/** Returns the local part that a Quoted-string stands for. */
export function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/gs, '$1');
}

/** RFC 5322 §3.2.3, RFC 6531 §3.3. */
function isAtomCharacter(code: number): boolean {
  return isLetterOrDigit(code) || code >= 0x80 || (code < 0x80 && ATOM_PUNCTUATION[code] === 1);
}

const QUOTE = 0x22;
const DOT = 0x2e;
const BACKSLASH = 0x5c;
const ATOM_PUNCTUATION = new Uint8Array(128);
for (const code of Buffer.from("!#$%&'*+-/=?^_`{|}~")) ATOM_PUNCTUATION[code] = 1;
