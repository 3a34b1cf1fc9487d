import { foldMailbox, Mailbox, withoutSubaddress } from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../../support/any-character.ts';

describe('foldMailbox', () => {
  it.each([
    ['ann', 'example.com', 'ann@example.com'],
    ['Ann', 'example.com', 'ann@example.com'],
    ['ANN', 'EXAMPLE.COM', 'ann@example.com'],
    ['JÖRG', 'BÜCHER.example', 'jörg@bücher.example'],
    ['Postmaster', '', 'postmaster'],
    ['Ann B', 'example.com', '"ann b"@example.com'],
    // The lower case of U+212A and U+0130 holds ASCII letters: they stay unchanged.
    ['\u212a', '\u212aeys.example', '\u212a@\u212aeys.example'],
    ['\u0130', 'example.com', '\u0130@example.com'],
  ])('folds %s at %s to %s', (localPart, domain, folded) => {
    expect(String(foldMailbox(new Mailbox(localPart, domain)))).toBe(folded);
  });

  it('changes nothing the second time, and returns the same object where nothing folds', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), fc.string({ unit: anyCharacter }), (localPart, domain) => {
        const folded = foldMailbox(new Mailbox(localPart, domain));
        expect(foldMailbox(folded)).toBe(folded);
      }),
    );
  });
});

describe('withoutSubaddress', () => {
  it.each([
    ['ann+list', '+', 'ann'],
    ['ann+list+more', '+', 'ann'],
    ['ann-list+more', '+-', 'ann'],
    ['ann-list', '+', 'ann-list'],
    ['ann+list', '', 'ann+list'],
    ['+list', '+', '+list'],
    ['++list', '+', '+'],
    ['ann+', '+', 'ann'],
    ['ann', '+', 'ann'],
  ])('of %s with %j is %s', (localPart, delimiter, user) => {
    expect(withoutSubaddress(new Mailbox(localPart, 'example.com'), delimiter)).toEqual(
      new Mailbox(user, 'example.com'),
    );
  });
});
