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

describe('TrustedLoginChecker', () => {
  it('accepts the user that the peer names', async () => {
    const { avatarId } = await portal()
      .register(new TrustedLoginChecker())
      .login(new TrustedLogin('ann'), testMind(), Desk);
    expect(avatarId).toBe('ann');
  });

  it('is needed for a TrustedLogin: no other checker accepts it', async () => {
    const others = portal().register(new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' }));
    await expect(others.login(new TrustedLogin('ann'), testMind(), Desk)).rejects.toThrow(UnhandledCredentials);
  });

  it('accepts no empty user name', async () => {
    const believing = portal().register(new TrustedLoginChecker());
    await expect(believing.login(new TrustedLogin(''), testMind(), Desk)).rejects.toMatchObject({ code: 'temporary' });
  });

  it('leaves the authorization identity to the portal', async () => {
    const believing = portal().register(new TrustedLoginChecker());
    await expect(believing.login(new TrustedLogin('ann', 'bob'), testMind(), Desk)).rejects.toThrow(LoginDenied);
  });
});
