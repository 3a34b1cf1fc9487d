import { TemporaryFailure, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { FakeClock, portalFor, TestAvatar, testMind } from '@postern/testing';
import { describe, expect, it } from 'vitest';

class Mailbox {
  readonly owner: string;

  constructor(owner: string) {
    this.owner = owner;
  }
}

describe('portalFor', () => {
  it('returns a portal whose users get a test avatar', async () => {
    const portal = portalFor({ joe: 's3cret' });
    const login = await portal.login(new UsernamePassword('joe', 's3cret'), testMind(), TestAvatar);
    expect(login.avatar).toEqual(new TestAvatar('joe'));
    await expect(portal.login(new UsernamePassword('joe', 'wrong'), testMind(), TestAvatar)).rejects.toThrow(
      UnauthorizedLogin,
    );
  });

  it('makes avatars by a factory', async () => {
    const portal = portalFor({ joe: 's3cret' }, Mailbox, (avatarId) => new Mailbox(String(avatarId)));
    const { avatar } = await portal.login(new UsernamePassword('joe', 's3cret'), testMind(), Mailbox);
    expect(avatar.owner).toBe('joe');
  });

  it('passes options to the portal', async () => {
    const clock = new FakeClock();
    const never = new Promise<Mailbox>(() => {});
    const portal = portalFor({ joe: 's3cret' }, Mailbox, () => never, { clock, loginTimeout: 1_000 });
    const login = expect(portal.login(new UsernamePassword('joe', 's3cret'), testMind(), Mailbox)).rejects.toThrow(
      TemporaryFailure,
    );
    await clock.advance(1_000);
    await login;
  });
});

describe('testMind', () => {
  it('describes a client on another machine, with the given properties', () => {
    expect(testMind()).toMatchObject({ protocol: 'smtp', tls: undefined, clientName: undefined });
    expect(testMind({ clientName: 'client.example.org' }).clientName).toBe('client.example.org');
    expect(testMind().store).not.toBe(testMind().store);
  });
});
