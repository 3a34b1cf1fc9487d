/**
 * Encodes octets as crypt(3) does: the octets with these indices form a number, the first one its
 * highest digits, and each character stands for six bits, the lowest first.
 */
export function cryptBase64(octets: Uint8Array, groups: readonly (readonly number[])[]): string {
  let text = '';
  for (const indices of groups) {
    let value = indices.reduce((sum, index) => (sum << 8) | (octets[index] ?? 0), 0);
    for (let left = Math.ceil((indices.length * 8) / 6); left > 0; left--) {
      text += ALPHABET[value & 0x3f] ?? '';
      value >>= 6;
    }
  }
  return text;
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
