import { UsernamePassword } from '@postern/cred';
import { describe, expect, test } from 'vitest';

/** A password that SASLprep changes: Roman numeral nine becomes `IX` (RFC 4013 §2.2). */
const changed = new UsernamePassword('joe', '\u2168', undefined, 'IX');
const unchanged = new UsernamePassword('joe', 's3cret');

describe('verifyPassword', () => {
  test.each([
    [changed, 'IX', ['IX']],
    [changed, '\u2168', ['IX', '\u2168']],
    [unchanged, 's3cret', ['s3cret']],
  ])('returns true for each form, the prepared one first (%#)', async (credentials, stored, calls) => {
    const seen: string[] = [];
    const verify = (password: string): boolean => {
      seen.push(password);
      return password === stored;
    };
    expect(credentials.verifyPassword(verify)).toBe(true);
    expect(seen).toEqual(calls);
    seen.length = 0;
    await expect(credentials.verifyPassword(async (password) => verify(password))).resolves.toBe(true);
    expect(seen).toEqual(calls);
  });

  test('calls once for a wrong password whose forms are equal, and twice where they differ', () => {
    for (const [credentials, calls] of [
      [unchanged, 1],
      [changed, 2],
    ] as const) {
      let count = 0;
      expect(credentials.verifyPassword(() => ++count < 0)).toBe(false);
      expect(count).toBe(calls);
    }
  });
});

test('checkPassword is true for either form, and for no other password', () => {
  expect(['IX', '\u2168', 'ix', ''].map((password) => changed.checkPassword(password))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
