import {
  ANONYMOUS,
  Anonymous,
  askChecker,
  checker,
  LoginDenied,
  PasswordProof,
  Portal,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';
import { joe, Mailbox, mailboxes } from './portal-support.ts';
import { mindOf } from './support.ts';

describe('checker', () => {
  it('judges the credentials of its interfaces by the function, with the mind', async () => {
    const mind = mindOf();
    const users = checker([UsernamePassword, Anonymous], async (credentials, its) => {
      expect(its).toBe(mind);
      return credentials instanceof Anonymous ? ANONYMOUS : credentials.username;
    });
    expect(users.credentialInterfaces).toEqual([UsernamePassword, Anonymous]);
    expect(await users.requestAvatarId(joe(), mind)).toBe('joe');
    expect(await users.requestAvatarId(new Anonymous(), mind)).toBe(ANONYMOUS);
  });

  it('stays synchronous with a synchronous function', () => {
    expect(checker([PasswordProof], ({ username }) => username).requestAvatarId(joe(), mindOf())).toBe('joe');
  });

  it.each([
    ['undefined', async () => undefined, UnauthorizedLogin],
    ['an empty avatar id', async () => '', TemporaryFailure],
    ['true', async () => true as never, TemporaryFailure],
    ['a denial', () => Promise.reject(new LoginDenied('expired')), LoginDenied],
    ['any other error', () => Promise.reject(new Error('disk')), TemporaryFailure],
  ])('makes %s the error of the login', async (_title, judge, error) => {
    const portal = new Portal(mailboxes()).register(checker([UsernamePassword], judge));
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(error);
  });
});

describe('askChecker', () => {
  it('throws UnauthorizedLogin for a checker that returns nothing', () => {
    const silent = { credentialInterfaces: [UsernamePassword], requestAvatarId: () => undefined as never };
    expect(() => askChecker(silent, joe(), mindOf())).toThrow(UnauthorizedLogin);
  });
});
