import {
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  Portal,
  TrustedLogin,
  TrustedLoginChecker,
  UnhandledCredentials,
} from '@postern/cred';
import { testMind } from '@postern/testing';
import { describe, expect, it } from 'vitest';

class Desk {}

const portal = (): Portal => new Portal(new AvatarRealm().provide(Desk, () => new Desk()));

describe('a login that a trusted peer vouches for', () => {
  it('is that user, where a checker believes it', async () => {
    const { avatarId } = await portal()
      .register(new TrustedLoginChecker())
      .login(new TrustedLogin('ann'), testMind(), Desk);
    expect(avatarId).toBe('ann');
  });

  it('is nobody without a checker for it, whatever others there are', async () => {
    const others = portal().register(new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' }));
    await expect(others.login(new TrustedLogin('ann'), testMind(), Desk)).rejects.toThrow(UnhandledCredentials);
  });

  it('is nobody who has no name', async () => {
    const believing = portal().register(new TrustedLoginChecker());
    await expect(believing.login(new TrustedLogin(''), testMind(), Desk)).rejects.toMatchObject({ code: 'temporary' });
  });

  it('may act as somebody else only if the portal says so', async () => {
    const believing = portal().register(new TrustedLoginChecker());
    await expect(believing.login(new TrustedLogin('ann', 'bob'), testMind(), Desk)).rejects.toThrow(LoginDenied);
  });
});
