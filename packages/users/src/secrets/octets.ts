import { timingSafeEqual } from 'node:crypto';
import { decodeBase64 } from '@postern/sasl';

/** Returns true if both have the same octets, in a time that depends on the lengths alone. */
export function equalOctets(octets: Uint8Array, other: Uint8Array): boolean {
  return octets.length === other.length && timingSafeEqual(octets, other);
}

/**
 * Returns the octets of base64 without padding, as in PHC strings. Returns undefined for padding,
 * for unused bits that are not zero, and for a character outside the alphabet.
 */
export function decodeUnpadded(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64');
  return encodeUnpadded(octets) === text ? octets : undefined;
}

/**
 * Returns the octets of passlib's adapted base64, which has `.` in the place of `+` and no padding.
 * Returns undefined for any other text.
 */
export function decodeAdapted(text: string): Buffer | undefined {
  return text.includes('+') ? undefined : decodeUnpadded(text.replaceAll('.', '+'));
}

/** Returns octets in base64 without padding, as PHC strings have it. */
export function encodeUnpadded(octets: Uint8Array): string {
  const text = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64');
  const padding = text.indexOf('=');
  return padding < 0 ? text : text.slice(0, padding);
}

/** Returns the octets of base64 with padding, or undefined for any other text. */
export function decodePadded(text: string): Buffer | undefined {
  const octets = decodeBase64(text);
  return octets && Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** Returns the octets of hexadecimal digits in either case, or undefined for any other text. */
export function decodeHex(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'hex');
  return octets.toString('hex') === text.toLowerCase() ? octets : undefined;
}

/**
 * Returns a decimal number without sign and leading zeros, or undefined for any other text and for
 * a number outside the range.
 */
export function decimal(text: string | undefined, { min, max }: DecimalRange): number | undefined {
  if (text === undefined || !DECIMAL.test(text)) return undefined;
  const number = Number(text);
  return number >= min && number <= max ? number : undefined;
}

/** The least and the greatest number that {@link decimal} returns. */
export interface DecimalRange {
  readonly min: number;
  readonly max: number;
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,9})$/;
