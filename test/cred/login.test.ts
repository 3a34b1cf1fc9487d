import { type LogoutReason, type OnLogout, Portal, type Realm } from '@postern/cred';
import { settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { joe, Mailbox, MemoryMailbox, users } from './portal-support.ts';
import { mindOf } from './support.ts';

/** Logs joe in through a realm with this logout. */
async function loginWith(logout?: OnLogout) {
  const realm: Realm = { requestAvatar: () => ({ avatar: new MemoryMailbox('joe') as never, logout }) };
  return await new Portal(realm).register(users()).login(joe(), mindOf(), Mailbox);
}

describe('logout', () => {
  it('returns undefined if the logout is synchronous, at the first call and later', async () => {
    const reasons: LogoutReason[] = [];
    const login = await loginWith((reason) => void reasons.push(reason));
    expect(login.logout('reset')).toBeUndefined();
    await login.logout('quit');
    await login.logout();
    expect(reasons).toEqual(['reset']);
  });

  it('returns one promise for all calls if the logout is asynchronous', async () => {
    const gone = Promise.withResolvers<void>();
    const login = await loginWith(() => gone.promise);
    const logout = login.logout();
    expect(logout).toBeInstanceOf(Promise);
    expect(login.logout()).toBe(logout);
    gone.resolve();
    await logout;
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('cannot save');
      },
    ],
    ['rejects', () => Promise.reject(new Error('cannot save'))],
  ])('that %s rejects at each call and runs once', async (_how, fail) => {
    let tries = 0;
    const login = await loginWith(() => {
      tries += 1;
      return fail();
    });
    await expect(Promise.resolve(login.logout())).rejects.toThrow('cannot save');
    await expect(Promise.resolve(login.logout())).rejects.toThrow('cannot save');
    await expect(login[Symbol.asyncDispose]()).rejects.toThrow('cannot save');
    expect(tries).toBe(1);
  });

  it('does not wait for itself if the avatar calls it during the logout', async () => {
    const reasons: LogoutReason[] = [];
    const login = await loginWith(async (reason) => {
      reasons.push(reason);
      await login.logout('quit');
      await settle();
    });
    await login.logout('timeout');
    expect(reasons).toEqual(['timeout']);
  });

  it('runs once for several disposals', async () => {
    const reasons: LogoutReason[] = [];
    const login = await loginWith((reason) => void reasons.push(reason));
    {
      await using _one = login;
      await using _other = login;
      await login.logout();
    }
    expect(reasons).toEqual(['quit']);
  });

  it('is optional in the realm', async () => {
    expect((await loginWith()).logout()).toBeUndefined();
  });

  it('calls the realm’s logout as a method of the object that the realm returned', async () => {
    class Given {
      readonly avatar = new MemoryMailbox('joe');
      ended = false;
      logout(): void {
        this.ended = true;
      }
    }
    const given = new Given();
    const realm: Realm = { requestAvatar: () => given as never };
    const login = await new Portal(realm).register(users()).login(joe(), mindOf(), Mailbox);
    await login.logout();
    expect(given.ended).toBe(true);
  });
});
