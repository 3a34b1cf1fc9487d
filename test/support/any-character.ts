import fc from 'fast-check';

/** The number of surrogates, which are no characters, and the first of these code points. */
const [SURROGATES, FIRST_SURROGATE] = [0x800, 0xd800];

/**
 * A unit of strings: any character of Unicode. For its own unit `'binary'` fast-check fills a map
 * with all 1,112,064 characters, which costs each process two seconds of CPU time.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - SURROGATES }).map(
  (index) => String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES),
  (value) => indexOf(value),
);

/** Returns the number from which `anyCharacter` makes the value. Throws for any other value. */
function indexOf(value: unknown): number {
  const [character, ...more] = typeof value === 'string' ? value : '';
  const codePoint = character?.isWellFormed() && more.length === 0 ? character.codePointAt(0) : undefined;
  if (codePoint === undefined) throw new Error('expected one character');
  return codePoint < FIRST_SURROGATE ? codePoint : codePoint - SURROGATES;
}
