/** Returns the octets in base32 (RFC 4648 §6) without padding, as authenticator apps take it. */
export function encodeBase32(octets: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const octet of octets) {
    value = ((value << 8) | octet) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += ALPHABET.charAt((value >>> (bits - 5)) & 31);
  }
  return bits === 0 ? text : text + ALPHABET.charAt((value << (5 - bits)) & 31);
}

/**
 * Returns the octets of a text in base32, or undefined for another text. Accepts what users type:
 * lower case, blanks and hyphens between groups, and padding.
 */
export function decodeBase32(text: string): Buffer | undefined {
  const digits = text.replaceAll(/[ -]/g, '').replace(/=+$/, '').toUpperCase();
  if (!/^[A-Z2-7]+$/.test(digits)) return undefined;
  const octets = Buffer.alloc(Math.floor((digits.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let length = 0;
  for (const digit of digits) {
    value = ((value << 5) | ALPHABET.indexOf(digit)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    octets[length] = (value >>> bits) & 0xff;
    length += 1;
  }
  return octets;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
