import { createHmac } from 'node:crypto';
import { UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { CramMd5Response } from '@postern/sasl';
import { testMind } from '@postern/testing';
import { parseSecret } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { isCramMd5KeyOf, isDigestMd5KeyOf } from '../../../packages/users/src/secrets/md5-keys.ts';
import { checkerOf } from '../checker-support.ts';

// doveadm pw -s CRAM-MD5 and -s DIGEST-MD5 -u USER, Dovecot 2.3.19.1
describe('isCramMd5KeyOf', () => {
  it.each([
    ['test', '{CRAM-MD5}e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6'],
    ['na\u00efve', '{CRAM-MD5}6246b7b01b161da19aa68f998473e280606fd2b01ec1d9c7c9f29268d06ebed6'],
    ['a'.repeat(70), '{CRAM-MD5}fdeeaf10e3e4185caed349495958df36351bef50c329275229e06e028803e01c'],
  ])('is true for %s and its key alone', (password, text) => {
    const key = parseSecret(text);
    if (key.kind !== 'cram-md5') throw new Error(key.kind);
    expect(isCramMd5KeyOf(password, key)).toBe(true);
    expect(isCramMd5KeyOf(`${password} `, key)).toBe(false);
  });
});

describe('isDigestMd5KeyOf', () => {
  it.each([
    ['joe@example.org', 'test', '{DIGEST-MD5}c66c33f8229107bea40e09275f535976'],
    ['joe', 'test', '{DIGEST-MD5}6aa1cc0ba05b76952870114fde25509c'],
    ['joe@example.org', 'na\u00efve', '{DIGEST-MD5}0088ca19e27a8df2dec3942ac5a423c1'],
    ['a@b@c', 'test', '{DIGEST-MD5}28f7a7fd6dcb9f2a7c351acb024f52cd'],
  ])('is true for %s, %s and their key alone', (username, password, text) => {
    const key = parseSecret(text);
    if (key.kind !== 'digest-md5') throw new Error(key.kind);
    expect(isDigestMd5KeyOf(password, username, key)).toBe(true);
    expect(isDigestMd5KeyOf(`${password} `, username, key)).toBe(false);
    expect(isDigestMd5KeyOf(password, `x${username}`, key)).toBe(false);
  });
});

describe('a user with keys of Dovecot alone', () => {
  const dovecot = checkerOf([
    { name: 'Joe', secrets: ['{CRAM-MD5}e02d374fde0dc75a17a557039a3a5338c7743304777dccd376f332bee68d2cf6'] },
    { name: 'joe@example.org', secrets: ['{DIGEST-MD5}c66c33f8229107bea40e09275f535976'] },
  ]);

  it.each(['joe', 'JOE@example.org'])('logs in as %s with the password', async (username) => {
    const { checker } = dovecot;
    expect(await checker.requestAvatarId(new UsernamePassword(username, 'test'), testMind())).toMatch(/^joe/i);
    const wrong = checker.requestAvatarId(new UsernamePassword(username, 'tesT'), testMind());
    await expect(wrong).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('logs in with a response to a challenge of CRAM-MD5', async () => {
    const challenge = Buffer.from('<1@example.org>');
    const response = (password: string) =>
      new CramMd5Response('joe', challenge, createHmac('md5', password).update(challenge).digest('hex'));
    expect(await dovecot.checker.requestAvatarId(response('test'), testMind())).toBe('Joe');
    const wrong = dovecot.checker.requestAvatarId(response('tesT'), testMind());
    await expect(wrong).rejects.toBeInstanceOf(UnauthorizedLogin);
  });
});
