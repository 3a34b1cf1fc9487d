import type { AddressFault } from './address-faults.ts';
import { isAscii } from './ascii.ts';
import { hasUnsafeCharacter } from './unsafe-characters.ts';

/** A text that a scanner reads: a string, or in tests one that counts. */
export interface Characters {
  readonly length: number;
  charCodeAt(at: number): number;
  slice(from: number, to?: number): string;
}

/** Returns true for a domain in the grammar of RFC 5321 §4.1.2, U-labels included (RFC 6531 §3.3). */
export function isDomain(text: string): boolean {
  return isHostName(text) && !text.includes('_');
}

/** Returns true for a domain as real hosts are named: as {@link isDomain}, but with underscores. */
export function isHostName(text: string): boolean {
  return endOfDomain(text, 0) === text.length && domainFault(text) === undefined && !hasUnsafeCharacter(text);
}

/** Returns true for a client's name in EHLO that is what RFC 5321 §4.1.1.1 asks for, and ASCII: such a name may stand in a header. */
export function isClientName(name: string): boolean {
  return isAscii(name) && (isDomain(name) || isAddressLiteral(name));
}

/** Returns true for an address literal with its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3). */
export function isAddressLiteral(text: string): boolean {
  if (!text.startsWith('[') || !text.endsWith(']')) return false;
  const inner = text.slice(1, -1);
  return /^IPv6:/i.test(inner) ? isIPv6(inner.slice(5)) : IPV4.test(inner);
}

/** Returns where the characters end that a domain is made of: letters, digits, hyphens, dots, underscores, and all beyond ASCII. */
export function endOfDomain(text: Characters, from: number): number {
  let at = from;
  while (isDomainCharacter(text.charCodeAt(at))) at++;
  return at;
}

/** Returns what is wrong with a text of the characters of {@link endOfDomain}; undefined if it is a domain. */
export function domainFault(domain: string): AddressFault | undefined {
  let labelAt = 0;
  for (let at = 0; at <= domain.length; at++) {
    if (at < domain.length && domain.charCodeAt(at) !== DOT) continue;
    if (at === labelAt) return domain === '' ? 'empty-domain' : 'empty-label';
    if (domain.charCodeAt(labelAt) === HYPHEN || domain.charCodeAt(at - 1) === HYPHEN) return 'label-hyphen';
    // A U-label is counted as it is written: an A-label may be longer or shorter.
    if (at - labelAt > MAX_LABEL) return 'long-label';
    labelAt = at + 1;
  }
  return exceeds(domain, MAX_DOMAIN_OCTETS) ? 'long-domain' : undefined;
}

/** Returns true if the text has more octets in UTF-8 than the bound. */
export function exceeds(text: string, octets: number): boolean {
  // A character has at most three octets for each of its UTF-16 units.
  return text.length * 3 > octets && Buffer.byteLength(text) > octets;
}

function isDomainCharacter(code: number): boolean {
  return isLetterOrDigit(code) || code === HYPHEN || code === DOT || code === UNDERSCORE || code >= 0x80;
}

/** ASCII only. */
export function isLetterOrDigit(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39);
}

function isIPv6(text: string): boolean {
  const tail = /:((?:\d{1,3}\.){3}\d{1,3})$/.exec(text)?.[1];
  if (tail !== undefined && !IPV4.test(tail)) return false;
  const groups = tail === undefined ? text : `${text.slice(0, -tail.length)}0:0`;
  const halves = groups.split('::');
  const count = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2 || !count.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? count.length <= 7 : count.length === 8;
}

const HYPHEN = 0x2d;
const DOT = 0x2e;
const UNDERSCORE = 0x5f;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
/** RFC 1035 §2.3.4. */
const MAX_LABEL = 63;
/** RFC 5321 §4.5.3.1.2. */
const MAX_DOMAIN_OCTETS = 255;
