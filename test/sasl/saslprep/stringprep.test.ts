import library from '@mongodb-js/saslprep';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringprep } from '../../../packages/sasl/src/saslprep/stringprep.ts';
import { RIGHT_TO_LEFT, UNASSIGNED } from '../../../packages/sasl/src/saslprep/tables.ts';
import { runs } from '../../support/fuzz.ts';

const stored = (text: string) => stringprep(text, { allowUnassigned: false });
const query = (text: string) => stringprep(text, { allowUnassigned: true });

describe('saslprep checks before it normalizes, as PostgreSQL does', () => {
  it.each([
    ['U+0340, which normalizes to U+0300', 'a\u0340'],
    ['U+1F130, which Unicode 3.2 does not assign', '\u{1f130}'],
    ['U+1D7CB, which Unicode 3.2 does not assign', '\u{1d7cb}'],
    ['U+32FF, which Unicode 3.2 does not assign', '\u32ff'],
    ['capital sharp s among others', 'STRA\u1e9eE\u00bd'],
    ['a sign for a currency that came later', '\u20bd100'],
  ])('refuses %s', (_what, text) => {
    expect(stored(text)).toBeUndefined();
  });

  it('maps U+200B to a space, although it is in table B.1 as well', () => {
    expect(stored('a\u200bb')).toBe('a b');
  });

  it.each([
    ['Hebrew', '\u05e9\u05dc\u05d5\u05dd', '\u05e9\u05dc\u05d5\u05dd'],
    ['Hebrew around digits', '\u05e9\u05dc123\u05d5\u05dd', '\u05e9\u05dc123\u05d5\u05dd'],
    ['Hebrew, then digits', '\u05e9\u05dc\u05d5\u05dd123', undefined],
    ['Hebrew and Latin', '\u05e9\u05dca\u05d5\u05dd', undefined],
  ])('RFC 3454 §6: %s', (_what, text, prepared) => {
    expect(stored(text)).toBe(prepared);
  });
});

describe('saslprep with allowUnassigned', () => {
  it('keeps a code point that Unicode 3.2 does not assign, and normalizes the others', () => {
    expect(query('\u2168\u{1f130}\u2168')).toBe('IX\u{1f130}IX');
  });
});

describe('saslprep beside another implementation', () => {
  it('agrees for each code point alone, except where the order of the steps matters', () => {
    const differing: string[] = [];
    for (let codePoint = 0; codePoint < 0x30000; codePoint++) {
      // A presentation form of a right-to-left letter normalizes to the letter and a mark. No
      // right-to-left text may end with that mark.
      if (RIGHT_TO_LEFT.has(codePoint) || (codePoint >= 0xd800 && codePoint <= 0xdfff)) continue;
      const text = String.fromCodePoint(codePoint);
      const prepared = stored(text);
      if (UNASSIGNED.has(codePoint)) {
        // The library normalizes with the Unicode of Node before its checks.
        if (prepared !== undefined) differing.push(codePoint.toString(16));
      } else if (prepared !== theirs(text)) {
        differing.push(codePoint.toString(16));
      }
    }
    expect(differing).toEqual(['340', '341']);
  });

  it('agrees for texts in which the order of the steps does not matter', () => {
    // Latin, Greek, Hebrew and Arabic letters, digits, spaces, controls, deleted characters and
    // compatibility forms.
    const character = fc.constantFrom(
      ...Array.from('aZ\u00e4\u0391\u05d0\u0627\u06f01 \u00a0\u00ad\u200d\u0007\u2168\uff21\ufb01\u0301\u212b'),
    );
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 12 }), (text) => {
        expect(stored(text)).toBe(theirs(text));
      }),
      { numRuns: runs(3000) },
    );
  });
});

/**
 * Returns the library's result. It throws for a prohibited character, and a TypeError for a text
 * that becomes empty.
 */
function theirs(text: string): string | undefined {
  try {
    return library(text) || undefined;
  } catch {
    return undefined;
  }
}
