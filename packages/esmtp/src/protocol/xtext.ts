import { hasUnsafeCharacter } from './characters.ts';

/** Encodes the UTF-8 octets of a text as xtext (RFC 3461 §4). */
export function encodeXtext(text: string): string {
  const octets = Buffer.from(text).toString('latin1');
  return octets.replace(/[^!-*,-<>-~]/g, (octet) => {
    return `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/**
 * Decodes xtext (RFC 3461 §4) to a string with one character for each octet; returns undefined for
 * any other text.
 */
export function decodeXtext(xtext: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[\dA-F]{2})*$/.test(xtext)) return undefined;
  return xtext.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Returns true for a value of ENVID (RFC 3461 §4.4): xtext of printable ASCII. */
export function isEnvelopeId(value: string): boolean {
  return isPrintableXtext(value);
}

/**
 * Returns true for a value of ORCPT: a type, and an address as xtext (RFC 3461 §4.2), or for
 * `utf-8` as in RFC 6533 §3.
 */
export function isOriginalRecipient(value: string): boolean {
  const [, type = '', address = ''] = ORIGINAL_RECIPIENT.exec(value) ?? [];
  if (type.toLowerCase() === 'utf-8')
    return UTF8_ADDRESS.test(address) && !hasUnsafeCharacter(decodeHexpoints(address));
  return type !== '' && isPrintableXtext(address);
}

/** Encodes an original recipient in ASCII, for a server without SMTPUTF8 (RFC 6533 §3). */
export function inAscii(originalRecipient: string): string {
  return originalRecipient.replace(
    NOT_ASCII,
    (character) => `\\x{${character.codePointAt(0)?.toString(16).toUpperCase()}}`,
  );
}

/**
 * Decodes an original recipient to UTF-8 (RFC 6533 §3); returns it unchanged if the result would
 * hold control characters.
 */
export function inUtf8(originalRecipient: string): string {
  const text = decodeHexpoints(originalRecipient);
  return CONTROLS.test(text) || hasUnsafeCharacter(text) ? originalRecipient : text;
}

/** Replaces each `\x{HEXPOINT}` by the character of that code point (RFC 6533 §3). */
function decodeHexpoints(text: string): string {
  return text.replace(/\\x\{([\da-f]{1,6})\}/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
}

function isPrintableXtext(value: string): boolean {
  const text = decodeXtext(value);
  return text !== undefined && /^[\t -~]*$/.test(text);
}

/** The type is an atom (RFC 822 §3.3). */
const ORIGINAL_RECIPIENT = /^([!#$%&'*+\-/0-9?A-Z^_`a-z{|}~]+);(.*)$/s;

const HEXPOINT = [
  '[01][1-9]|10|20|2B|3D|7F|5C|[89A-F][\\dA-F]',
  '[1-9A-F][\\dA-F]{2}',
  '[1-9A-CEF][\\dA-F]{3}|D[0-7][\\dA-F]{2}',
  '[1-9A-F][\\dA-F]{4}',
  '10[\\dA-F]{4}',
].join('|');
const UTF8_ADDRESS = new RegExp(`^(?:[!-*,-<>-[\\]-~\\u0080-\\u{10ffff}]|\\\\x\\{(?:${HEXPOINT})\\})+$`, 'iu');
const NOT_ASCII = /[^\0-\x7f]/gu;
const CONTROLS = /[\0-\x1f\x7f]/;
