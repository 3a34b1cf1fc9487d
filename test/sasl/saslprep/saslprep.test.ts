import { decodeUtf8, encodeUtf8, type Preparation, saslprep } from '@postern/sasl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../../support/any-character.ts';
import { runs } from '../../support/fuzz.ts';

const both: readonly Preparation[] = ['query', 'stored'];

describe.each(both)('saslprep for a %s string', (preparation) => {
  it.each([
    ['SOFT HYPHEN mapped to nothing', 'I\u00adX', 'IX'],
    ['no transformation', 'user', 'user'],
    ['case preserved, will not match', 'USER', 'USER'],
    ['output is NFKC, input in ISO 8859-1', '\u00aa', 'a'],
    ['output is NFKC, will match', '\u2168', 'IX'],
  ])('RFC 4013 §3: %s', (_comment, input, output) => {
    expect(saslprep(input, preparation)).toBe(output);
  });

  it.each([
    ['prohibited character', '\u0007'],
    ['bidirectional check', '\u0627\u0031'],
  ])('RFC 4013 §3: %s', (_comment, input) => {
    expect(saslprep(input, preparation)).toBeUndefined();
  });

  it('maps spaces beyond ASCII to a space', () => {
    expect(saslprep('a\u00a0b\u3000c', preparation)).toBe('a b c');
  });

  it.each([
    ['the empty string', ''],
    ['a string that maps to nothing', '\u00ad'],
    ['a NUL', 'a\0b'],
    ['a line break', 'a\n'],
    ['DEL', 'a\x7f'],
    ['a lone surrogate', 'a\ud800'],
    ['a lone low surrogate', '\udc00a'],
    ['a private use character', '\ue000'],
    ['a non-character', '\ufffe'],
    ['U+FFFD, the replacement of what was no UTF-8', '\ufffd'],
    ['more than 4,096 octets', 'a'.repeat(4097)],
    ['more than 4,096 octets in fewer characters', '\u00e4'.repeat(2049)],
    ['a million characters', '\u00e4'.repeat(1_000_000)],
  ])('refuses %s', (_what, input) => {
    expect(saslprep(input, preparation)).toBeUndefined();
  });

  it('accepts 4,096 octets', () => {
    expect(saslprep('a'.repeat(4096), preparation)).toBe('a'.repeat(4096));
    expect(saslprep('\u00e4'.repeat(2048), preparation)).toBe('\u00e4'.repeat(2048));
  });

  it('returns a normalized text that is not empty, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 20 }), (input) => {
        const once = saslprep(input, preparation);
        if (once === undefined) return;
        expect(once).not.toBe('');
        if (preparation === 'stored') expect(once).toBe(once.normalize('NFKC'));
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe('a character that Unicode 3.2 does not assign', () => {
  it('is accepted in a query and refused in a stored string', () => {
    expect(saslprep('a\u0221', 'query')).toBe('a\u0221');
    expect(saslprep('a\u0221', 'stored')).toBeUndefined();
  });
});

describe('text', () => {
  it('decodes the bytes of encodeUtf8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (input) => {
        expect(decodeUtf8(encodeUtf8(input))).toBe(input);
      }),
    );
  });

  it('keeps a byte order mark', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });

  it.each([
    ['an overlong NUL', [0xc0, 0x80]],
    ['an overlong slash', [0xe0, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a continuation byte alone', [0x80]],
    ['a character cut off', [0x61, 0xe2, 0x82]],
    ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['0xff', [0xff]],
  ])('refuses %s', (_what, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
  });
});
