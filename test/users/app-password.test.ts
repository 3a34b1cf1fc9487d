import { UsernamePassword } from '@postern/cred';
import { testMind } from '@postern/testing';
import { generateAppPassword, generatePassword } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { checkerOf } from './checker-support.ts';

describe('generatePassword', () => {
  it('makes six groups of five of 23 letters, 135 bits, each time others', () => {
    const passwords = Array.from({ length: 1000 }, generatePassword);
    for (const password of passwords) expect(password).toMatch(/^[a-hjkmnp-z]{5}(-[a-hjkmnp-z]{5}){5}$/);
    expect(new Set(passwords).size).toBe(1000);
    expect(new Set(passwords.join('').replaceAll('-', '')).size).toBe(23);
  });
});

describe('generateAppPassword', () => {
  it('has a record that verifies its password alone', async () => {
    const expires = new Date(8.64e15);
    const { password, record } = generateAppPassword('phone', { scopes: ['smtp'], expires });
    expect(record).toEqual({
      name: 'phone',
      secrets: [expect.stringMatching(/^\{SSHA512\}/)],
      scopes: ['smtp'],
      expires,
    });
    expect(JSON.stringify(record)).not.toContain(password);
    const { checker } = checkerOf([{ name: 'joe', secrets: [], appPasswords: [record] }]);
    const login = (text: string) => checker.requestAvatarId(new UsernamePassword('joe', text), testMind());
    expect(await login(password)).toBe('joe');
    await expect(login(password.replaceAll('-', ''))).rejects.toThrow();
    expect(generateAppPassword('phone').record).toEqual({ name: 'phone', secrets: [expect.any(String)] });
  });
});
