import {
  type LogoutReason,
  Portal,
  type PortalOptions,
  type Realm,
  type RealmAvatar,
  TemporaryFailure,
} from '@postern/cred';
import { FakeClock, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { joe, Mailbox, MemoryMailbox, mailboxes, users } from './portal-support.ts';
import { mindOf } from './support.ts';

describe('a logout', () => {
  async function loggedIn(onLogout: (reason: LogoutReason) => void | Promise<void>, options?: PortalOptions) {
    const realm: Realm = {
      requestAvatar: (avatarId) => ({ avatar: new MemoryMailbox(avatarId) as never, logout: onLogout }),
    };
    const portal = new Portal(realm, options).register(users());
    return { portal, login: await portal.login(joe(), mindOf(), Mailbox) };
  }

  it('runs once, with the first reason, and each call waits for its end', async () => {
    const reasons: LogoutReason[] = [];
    const gone = Promise.withResolvers<void>();
    const { login } = await loggedIn((reason) => {
      reasons.push(reason);
      return gone.promise;
    });
    let second = false;
    const first = login.logout('timeout');
    const again = Promise.resolve(login.logout('quit')).then(() => {
      second = true;
    });
    await settle();
    expect(second).toBe(false);
    gone.resolve();
    await Promise.all([first, again]);
    expect(reasons).toEqual(['timeout']);
  });

  it('runs once if the avatar logs itself out during it', async () => {
    let runs = 0;
    const { login } = await loggedIn(() => {
      runs += 1;
      void login.logout();
    });
    await login.logout();
    expect(runs).toBe(1);
  });

  it('runs at the end of `await using`', async () => {
    const reasons: LogoutReason[] = [];
    {
      const { login } = await loggedIn((reason) => void reasons.push(reason));
      await using _login = login;
    }
    expect(reasons).toEqual(['quit']);
  });

  it('leaves the login open until it has ended', async () => {
    const gone = Promise.withResolvers<void>();
    const { portal, login } = await loggedIn(() => gone.promise);
    expect(portal.openLogins).toBe(1);
    const logout = login.logout();
    expect(portal.openLogins).toBe(1);
    gone.resolve();
    await logout;
    expect(portal.openLogins).toBe(0);
  });

  it('that never ends rejects after loginTimeout', async () => {
    const clock = new FakeClock();
    const { portal, login } = await loggedIn(() => new Promise(() => {}), { clock, loginTimeout: 1000 });
    const refused = expect(login.logout()).rejects.toBeInstanceOf(TemporaryFailure);
    await clock.advance(1000);
    await refused;
    expect(portal.openLogins).toBe(0);
  });

  it('that fails rejects for its caller', async () => {
    const { portal, login } = await loggedIn(() => Promise.reject(new Error('cannot save')));
    await expect(login.logout()).rejects.toThrow('cannot save');
    expect(portal.openLogins).toBe(0);
  });
});

describe('a drain', () => {
  it('waits for all logouts, also for earlier ones, and continues after a failure', async () => {
    const leaving = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const reasons: LogoutReason[] = [];
    let next = 0;
    const portal = new Portal({
      requestAvatar: (avatarId) => {
        const { promise } = leaving[next++] ?? Promise.withResolvers<void>();
        const logout = (reason: LogoutReason) => {
          reasons.push(reason);
          return promise;
        };
        return { avatar: new MemoryMailbox(avatarId) as never, logout };
      },
    }).register(users());
    const [first] = await Promise.all([1, 2, 3].map(async () => portal.login(joe(), mindOf(), Mailbox)));
    void first?.logout('quit');
    let drained = false;
    const drain = portal.drain().then(() => {
      drained = true;
    });
    expect(reasons).toEqual(['quit', 'shutdown', 'shutdown']);
    leaving[1]?.reject(new Error('cannot save'));
    leaving[2]?.resolve();
    await settle();
    expect(drained).toBe(false);
    leaving[0]?.resolve();
    await drain;
    expect(portal.openLogins).toBe(0);
  });

  it('logs out all logins with a synchronous logout', async () => {
    const portal = new Portal(mailboxes()).register(users());
    for (let n = 0; n < 10; n += 1) await portal.login(joe(), mindOf(), Mailbox);
    await portal.drain();
    expect(portal.openLogins).toBe(0);
  });

  it('stops pending logins, waits for a late avatar, and refuses new logins', async () => {
    const coming = Promise.withResolvers<RealmAvatar<Mailbox>>();
    const reasons: LogoutReason[] = [];
    const portal = new Portal({ requestAvatar: () => coming.promise as never }).register(users());
    const login = portal.login(joe(), mindOf(), Mailbox);
    await settle();
    let drained = false;
    const drain = portal.drain().then(() => {
      drained = true;
    });
    await expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(TemporaryFailure);
    expect(drained).toBe(false);
    coming.resolve({ avatar: new MemoryMailbox('joe'), logout: (reason) => void reasons.push(reason) });
    await drain;
    expect(reasons).toEqual(['shutdown']);
  });

  it('waits at most loginTimeout for a realm that never answers', async () => {
    const clock = new FakeClock();
    const portal = new Portal({ requestAvatar: () => new Promise(() => {}) }, { clock, loginTimeout: 1000 }).register(
      users(),
    );
    const login = Promise.resolve(portal.login(joe(), mindOf(), Mailbox)).catch((error) => error);
    await settle();
    const drain = portal.drain();
    await settle();
    await clock.advance(1000);
    await drain;
    expect(await login).toBeInstanceOf(TemporaryFailure);
  });
});
