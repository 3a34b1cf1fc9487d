import {
  ANONYMOUS,
  askChecker,
  Credentials,
  isDerived,
  LoginDenied,
  onlyAsThemselves,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { testMind } from '@postern/testing';
import { describe, expect, test } from 'vitest';

const joe = new UsernamePassword('joe', 's3cret');

describe('askChecker', () => {
  const ask = (answer: unknown) =>
    askChecker({ credentialInterfaces: [UsernamePassword], requestAvatarId: () => answer as string }, joe, testMind());

  test('returns an avatar id synchronously, or a promise of it', async () => {
    expect(ask('joe')).toBe('joe');
    expect(ask(ANONYMOUS)).toBe(ANONYMOUS);
    await expect(ask(Promise.resolve('joe'))).resolves.toBe('joe');
  });

  test('throws UnauthorizedLogin for undefined and null, TemporaryFailure for any other value', async () => {
    expect(() => ask(undefined)).toThrow(UnauthorizedLogin);
    expect(() => ask(null)).toThrow(UnauthorizedLogin);
    for (const answer of ['', 0, true, {}, Symbol('joe')]) expect(() => ask(answer)).toThrow(TemporaryFailure);
    await expect(ask(Promise.resolve())).rejects.toBeInstanceOf(UnauthorizedLogin);
  });
});

test('isDerived is true for a class and for the classes that extend it', () => {
  expect(isDerived(UsernamePassword, UsernamePassword)).toBe(true);
  expect(isDerived(UsernamePassword, Credentials)).toBe(true);
  expect(isDerived(Credentials, UsernamePassword)).toBe(false);
  expect(isDerived(class Other {}, Credentials)).toBe(false);
});

describe('onlyAsThemselves', () => {
  test('returns the avatar id for the user’s own name and id', () => {
    expect(onlyAsThemselves('joe@example.com', 'joe@example.com', joe, testMind())).toBe('joe@example.com');
    expect(onlyAsThemselves('joe@example.com', 'joe', joe, testMind())).toBe('joe@example.com');
  });

  test('throws LoginDenied for any other identity, and for each of a client without a name', () => {
    expect(() => onlyAsThemselves('joe', 'ann', joe, testMind())).toThrow(LoginDenied);
    expect(() => onlyAsThemselves(ANONYMOUS, 'joe', joe, testMind())).toThrow(LoginDenied);
  });
});
