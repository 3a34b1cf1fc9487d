import { UsernamePassword } from '@postern/cred';
import { testMind } from '@postern/testing';
import { appPassword, generateAppPassword } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { checkerOf } from './checker-support.ts';

describe('generateAppPassword', () => {
  it('makes six groups of five letters, each time others', () => {
    const passwords = Array.from({ length: 1000 }, generateAppPassword);
    for (const password of passwords) expect(password).toMatch(/^[a-hjkmnp-z]{5}(-[a-hjkmnp-z]{5}){5}$/);
    expect(new Set(passwords).size).toBe(1000);
    expect(new Set(passwords.join('').replaceAll('-', '')).size).toBe(23);
  });

  it('has at least 128 bits', () => {
    expect(30 * Math.log2(23)).toBeGreaterThan(128);
  });
});

describe('appPassword', () => {
  it('has a record that verifies its password alone', async () => {
    const expires = new Date(8.64e15);
    const { password, record } = appPassword('phone', { scopes: ['smtp'], expires });
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
    expect(appPassword('phone').record).toEqual({ name: 'phone', secrets: [expect.any(String)] });
  });
});
