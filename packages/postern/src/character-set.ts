/** A set of ASCII characters: 1 at the code of each. */
export type CharacterSet = Uint8Array;

/** Returns the set of the characters that the pattern matches. */
export function charactersOf(pattern: RegExp): CharacterSet {
  return Uint8Array.from({ length: 128 }, (_, code) => (pattern.test(String.fromCharCode(code)) ? 1 : 0));
}
