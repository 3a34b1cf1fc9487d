import { isAbsolute, join, relative, sep } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { folderName } from '@postern/maildir';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyCharacter } from '../support/any-character.ts';
import { runs } from '../support/fuzz.ts';

describe('the name of a mailbox folder', () => {
  it.each([
    ['ann', 'example.com', 'ann@example.com'],
    ['ann', 'EXAMPLE.Com', 'ann@example.com'],
    ['Ann', 'example.com', '%41nn@example.com'],
    ['ann+list', 'example.com', 'ann+list@example.com'],
    ['ann.b-c_d=e', 'mx-1.example.com', 'ann.b-c_d=e@mx-1.example.com'],
    ['ann', '[192.0.2.1]', 'ann@%5b192.0.2.1%5d'],
    ['ann', '[IPv6:2001:db8::1]', 'ann@%5bipv6%3a2001%3adb8%3a%3a1%5d'],
    ['Postmaster', '', 'postmaster'],
    ['..', 'example.com', '%2e%2e@example.com'],
    ['.hidden', 'example.com', '%2ehidden@example.com'],
    ['../../etc/passwd', '', '%2e%2e%2f%2e%2e%2fetc%2fpasswd'],
    ['a/b', 'example.com', 'a%2fb@example.com'],
    ['a\\b', 'example.com', 'a%5cb@example.com'],
    ['a\0b', 'example.com', 'a%00b@example.com'],
    ['a@b', 'example.com', 'a%40b@example.com'],
    ['a%40b', 'example.com', 'a%2540b@example.com'],
    ['jörg', 'bücher.example', 'j%c3%b6rg@b%c3%bccher.example'],
    ['a', '..', 'a@%2e%2e'],
    ['', 'example.com', '@example.com'],
    ['', '', '@'],
  ])('of %j at %j is %s', (localPart, domain, expected) => {
    expect(folderName(new Mailbox(localPart, domain))).toBe(expected);
  });

  it('differs for domains that Unicode folds to the same letters', () => {
    expect(folderName(new Mailbox('ann', '\u212aeys.example'))).not.toBe(
      folderName(new Mailbox('ann', 'keys.example')),
    );
  });

  it('differs for lone surrogates, which UTF-8 cannot encode', () => {
    expect(folderName(new Mailbox('\ud800', 'x'))).not.toBe(folderName(new Mailbox('\ud801', 'x')));
  });

  it('has at most 255 octets and differs for long addresses', () => {
    const long = 'ö'.repeat(64);
    const one = folderName(new Mailbox(`${long}a`, 'example.com'));
    const other = folderName(new Mailbox(`${long}b`, 'example.com'));
    expect(one).toMatch(/^%c3%b6.*%%[0-9a-f]{64}$/);
    expect(one.length).toBeLessThanOrEqual(255);
    expect(one).not.toBe(other);
  });

  it('stays within the folder, for any mailbox', () => {
    fc.assert(
      fc.property(mailbox, (one) => {
        const name = folderName(one);
        expect(name).toMatch(/^[a-z0-9%@+=_-][a-z0-9%@.+=_-]*$/);
        expect(name.length).toBeLessThanOrEqual(255);
        const path = relative('/mail', join('/mail', name));
        expect(path).toBe(name);
        expect(isAbsolute(path) || path.includes(sep) || path === '..').toBe(false);
      }),
    );
  });

  it('is never shared by two mailboxes, even where file names have no case', () => {
    fc.assert(
      fc.property(mailbox, mailbox, (one, other) => {
        fc.pre(key(one) !== key(other));
        expect(folderName(one).toLowerCase()).not.toBe(folderName(other).toLowerCase());
      }),
      { numRuns: runs(2000) },
    );
  });
});

/** Returns a key that two addresses share exactly if they are one mailbox. */
function key({ localPart, domain }: Mailbox): string {
  const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return JSON.stringify([domain === '' ? lower(localPart) : localPart, lower(domain)]);
}

/** Few and difficult characters, so that two mailboxes are often nearly equal. */
const wicked = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '.',
      '..',
      '/',
      '\\',
      '\0',
      '%',
      '%%',
      '@',
      'a',
      'A',
      '2e',
      '\r\n',
      ' ',
      ':',
      '~',
      '\u212a',
      'k',
      '\ud800',
    ),
    fc.string({ unit: anyCharacter, minLength: 1, maxLength: 1 }),
  ),
  maxLength: 6,
});
const part = fc.oneof(
  wicked,
  fc.string({ unit: anyCharacter }),
  wicked.map((text) => text.repeat(60)),
);
const mailbox = fc.tuple(part, part).map(([localPart, domain]) => new Mailbox(localPart, domain));
