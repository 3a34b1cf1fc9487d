import type { AddressFault } from './address-faults.ts';
import { type Characters, isLetterOrDigit } from './domain.ts';

/** Returns true if the local part may be written without quotes (Dot-string, RFC 5321 §4.1.2). */
export function isDotString(localPart: string): boolean {
  return localPart !== '' && endOfAtoms(localPart, 0) === localPart.length && !hasLooseDots(localPart);
}

/** Returns true if atoms and dots are there that make no Dot-string: a dot at an end, or two in a row. */
export function hasLooseDots(atoms: string): boolean {
  return atoms.startsWith('.') || atoms.endsWith('.') || atoms.includes('..');
}

/** Returns where the characters end that a Dot-string is made of, dots included. */
export function endOfAtoms(text: Characters, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); isAtomCharacter(code) || code === DOT; code = text.charCodeAt(at)) at++;
  return at;
}

/** Returns where a Quoted-string ends whose quote stands at `from`, behind its closing quote; or what is wrong with it. */
export function endOfQuoted(text: Characters, from: number): number | AddressFault {
  for (let at = from + 1; at < text.length; at++) {
    let code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    const isEscaped = code === BACKSLASH;
    if (isEscaped) code = text.charCodeAt(++at);
    // A quoted-pair is one of printable ASCII (RFC 5321 §4.1.2).
    if (code < 0x20 || code === 0x7f || (isEscaped && code > 0x7f)) return 'quoted-character';
  }
  return 'no-closing-quote';
}

/** Returns the local part that a Quoted-string stands for. */
export function unquoted(quoted: string): string {
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
