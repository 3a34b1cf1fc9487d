import { LoginDenied, TrustedLogin } from '@postern/cred';
import { testMind } from '@postern/testing';
import { UserChecker, type UserRecord } from '@postern/users';
import { expect, test } from 'vitest';

const USERS: readonly UserRecord[] = [
  { name: 'Ann', secrets: [] },
  { name: 'bob', secrets: [], enabled: false },
  { name: 'eve', secrets: [], scopes: ['imap'] },
];

const users = new UserChecker({ find: (name) => USERS.find((user) => user.name.toLowerCase() === name) });

test('recognises a user by each spelling of the name, without a proof', async () => {
  expect(await users.recognise(new TrustedLogin('ANN'), testMind())).toBe('Ann');
});

test('returns undefined for an unknown user', async () => {
  expect(await users.recognise(new TrustedLogin('joe'), testMind())).toBeUndefined();
});

test('denies a user that is disabled, or has no scope for the protocol', async () => {
  await expect(users.recognise(new TrustedLogin('bob'), testMind())).rejects.toThrow(new LoginDenied('disabled'));
  await expect(users.recognise(new TrustedLogin('eve'), testMind())).rejects.toThrow(LoginDenied);
  expect(await users.recognise(new TrustedLogin('eve'), testMind({ protocol: 'imap' }))).toBe('eve');
});
