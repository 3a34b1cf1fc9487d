import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timingSafeEqualText } from '../../packages/cred/src/timing-safe-equal-text.ts';
import { anyCharacter } from '../support/any-character.ts';

describe('timingSafeEqualText', () => {
  it('is true for a text and itself, of any length', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 600 }), (text) => timingSafeEqualText(text, `${text}`)),
    );
  });

  it('is false for two different texts', () => {
    const texts = fc.string({ unit: anyCharacter, maxLength: 600 });
    fc.assert(fc.property(texts, texts, (one, other) => timingSafeEqualText(one, other) === (one === other)));
  });

  it.each([
    ['one octet', 's3cret', 's3creT'],
    ['the last of many', `${'x'.repeat(255)}a`, `${'x'.repeat(255)}b`],
    ['zeros at the end, which are no padding', 'secret', 'secret\0'],
    ['everything', '', 'secret'],
    ['how it is written: é in one character and in two', '\u00e9', 'e\u0301'],
  ])('is false for texts that differ in %s', (_what, one, other) => {
    expect(timingSafeEqualText(one, other)).toBe(false);
    expect(timingSafeEqualText(other, one)).toBe(false);
  });

  it('clears both texts in the memory that Node reuses', () => {
    // A text of this run: the pool may hold parts of this file.
    const secret = crypto.randomUUID();
    expect(timingSafeEqualText(secret, secret)).toBe(true);
    const pool = Buffer.from(Buffer.allocUnsafe(8).buffer);
    expect(pool.includes(secret)).toBe(false);
  });
});
