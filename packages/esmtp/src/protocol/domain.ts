import type { AddressFault } from './address-faults.ts';
import { type Characters, exceedsOctets, hasUnsafeCharacter, isAscii } from './characters.ts';

/** Returns true for a domain in the grammar of RFC 5321 §4.1.2, with U-labels (RFC 6531 §3.3). */
export function isDomain(text: string): boolean {
  return isHostName(text) && !text.includes('_');
}

/** Returns true for a domain that may also hold underscores, as the names of real hosts do. */
export function isHostName(text: string): boolean {
  return endOfDomain(text, 0) === text.length && domainFault(text) === undefined && !hasUnsafeCharacter(text);
}

/**
 * Returns true for an ASCII domain or address literal: RFC 5321 §4.1.1.1 asks for one in EHLO, and
 * a header may hold it.
 */
export function isClientName(name: string): boolean {
  return isAscii(name) && (isDomain(name) || isAddressLiteral(name));
}

/**
 * Returns true for an address literal in its brackets: `[192.0.2.1]`, `[IPv6:2001:db8::1]` (RFC
 * 5321 §4.1.3).
 */
export function isAddressLiteral(text: string): boolean {
  if (!text.startsWith('[') || !text.endsWith(']')) return false;
  const inner = text.slice(1, -1);
  return /^IPv6:/i.test(inner) ? isIPv6(inner.slice(5)) : IPV4.test(inner);
}

/**
 * Returns the index behind the letters, digits, hyphens, dots, underscores and non-ASCII characters
 * that begin at `from`.
 */
export function endOfDomain(text: Characters, from: number): number {
  let index = from;
  while (isDomainCharacter(text.charCodeAt(index))) index++;
  return index;
}

/**
 * Returns the fault of a text that {@link endOfDomain} has delimited; undefined if the text is a
 * domain.
 */
export function domainFault(domain: string): AddressFault | undefined {
  let labelStart = 0;
  for (let index = 0; index <= domain.length; index++) {
    if (index < domain.length && domain.charCodeAt(index) !== DOT) continue;
    if (index === labelStart) return domain === '' ? 'empty-domain' : 'empty-label';
    if (domain.charCodeAt(labelStart) === HYPHEN || domain.charCodeAt(index - 1) === HYPHEN) return 'label-hyphen';
    // A U-label counts as written: its A-label may be longer or shorter.
    if (index - labelStart > MAX_LABEL_LENGTH) return 'long-label';
    labelStart = index + 1;
  }
  return exceedsOctets(domain, MAX_DOMAIN_OCTETS) ? 'long-domain' : undefined;
}

function isDomainCharacter(code: number): boolean {
  return isLetterOrDigit(code) || code === HYPHEN || code === DOT || code === UNDERSCORE || code >= 0x80;
}

/** Returns true for the code of an ASCII letter or digit. */
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
const MAX_LABEL_LENGTH = 63;
/** RFC 5321 §4.5.3.1.2. */
const MAX_DOMAIN_OCTETS = 255;
