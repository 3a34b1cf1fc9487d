import {
  type AvatarId,
  AvatarRealm,
  type Clock,
  type LogoutReason,
  type Mind,
  Portal,
  type Realm,
  type RealmAvatar,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { FakeClock, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { checking, joe, Mailbox, MemoryMailbox, mailboxes, portalOf, users } from './portal-support.ts';
import { mindOf } from './support.ts';

describe('a login beyond loginTimeout', () => {
  it('is a TemporaryFailure, aborts the signal of the checker, and does not ask the realm', async () => {
    const clock = new FakeClock();
    const answer = Promise.withResolvers<AvatarId>();
    const signals: AbortSignal[] = [];
    let realmAsked = false;
    const portal = new Portal(
      new AvatarRealm().provide(Mailbox, (avatarId) => {
        realmAsked = true;
        return new MemoryMailbox(avatarId);
      }),
      { clock, loginTimeout: 5000 },
    ).register(
      checking((_credentials, { signal }) => {
        signals.push(signal);
        return answer.promise;
      }),
    );
    const refused = expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(TemporaryFailure);
    await clock.advance(4999);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    await refused;
    expect(signals[0]?.aborted).toBe(true);
    answer.resolve('joe');
    await settle();
    expect(realmAsked).toBe(false);
    expect(portal.openLogins).toBe(0);
  });

  it('logs out an avatar that the realm returns late', async () => {
    const clock = new FakeClock();
    const coming = Promise.withResolvers<RealmAvatar<Mailbox>>();
    const reasons: LogoutReason[] = [];
    const portal = new Portal({ requestAvatar: () => coming.promise as never }, { clock }).register(users());
    const refused = expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(TemporaryFailure);
    await settle();
    await clock.advance(60_000);
    await refused;
    coming.resolve({ avatar: new MemoryMailbox('joe'), logout: (reason) => void reasons.push(reason) });
    await settle();
    expect(reasons).toEqual(['timeout']);
    expect(portal.openLogins).toBe(0);
  });

  it('leaves no timer behind, after a success or a failure', async () => {
    const clock = new FakeClock();
    const portal = new Portal(mailboxes(), { clock }).register(users());
    const login = await portal.login(joe(), mindOf(), Mailbox);
    await Promise.resolve(portal.login(new UsernamePassword('joe', 'wrong'), mindOf(), Mailbox)).catch(() => {});
    await login.logout();
    expect(clock.pending).toBe(0);
  });

  it('keeps the process alive until its result, as a logout does', async () => {
    const kept: (boolean | undefined)[] = [];
    const clock: Clock = {
      now: () => 0,
      after(_milliseconds, _callback, keepsAlive) {
        kept.push(keepsAlive);
        return { [Symbol.dispose]: () => {} };
      },
    };
    const realm: Realm = {
      requestAvatar: (avatarId) => ({ avatar: new MemoryMailbox(avatarId) as never, logout: () => settle() }),
    };
    const portal = new Portal(realm, { clock }).register(checking(async () => 'joe'));
    await (await portal.login(joe(), mindOf(), Mailbox)).logout();
    expect(kept).toEqual([true, true]);
  });

  it.each([[0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY], [2 ** 31]])(
    'cannot have a loginTimeout of %s',
    (loginTimeout) => {
      expect(() => new Portal(mailboxes(), { loginTimeout })).toThrow(RangeError);
    },
  );
});

describe('a client that disconnects', () => {
  it('before the login is refused, and no checker is asked', async () => {
    let asked = false;
    const portal = portalOf(
      checking(() => {
        asked = true;
        return 'joe';
      }),
    );
    await expect(portal.login(joe(), mindOf({}, AbortSignal.abort()), Mailbox)).rejects.toBeInstanceOf(
      TemporaryFailure,
    );
    expect(asked).toBe(false);
  });

  it('during the checker is refused, and a late result or error of the checker is dropped', async () => {
    for (const end of ['resolve', 'reject'] as const) {
      const connection = new AbortController();
      const answer = Promise.withResolvers<AvatarId>();
      const portal = portalOf(checking(() => answer.promise));
      const login = portal.login(joe(), mindOf({}, connection.signal), Mailbox);
      connection.abort(new Error('connection reset'));
      const error = await Promise.resolve(login).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(TemporaryFailure);
      expect(error.cause).toMatchObject({ message: 'connection reset' });
      answer[end]('joe');
      await settle();
      expect(portal.openLogins).toBe(0);
    }
  });

  it('during the realm is logged out when the realm returns the avatar', async () => {
    const connection = new AbortController();
    const coming = Promise.withResolvers<RealmAvatar<Mailbox>>();
    const reasons: LogoutReason[] = [];
    const portal = new Portal({ requestAvatar: () => coming.promise as never }).register(users());
    const login = portal.login(joe(), mindOf({}, connection.signal), Mailbox);
    await settle();
    connection.abort();
    await expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    coming.resolve({ avatar: new MemoryMailbox('joe'), logout: (reason) => void reasons.push(reason) });
    await settle();
    expect(reasons).toEqual(['disconnected']);
    expect(portal.openLogins).toBe(0);
  });

  it('after the login aborts the signal of the mind that an avatar has kept', async () => {
    for (const early of [true, false]) {
      const connection = new AbortController();
      const minds: Mind[] = [];
      const realm = new AvatarRealm().provide(Mailbox, (avatarId, mind) => {
        minds.push(mind);
        if (early) expect(mind.signal.aborted).toBe(false);
        return new MemoryMailbox(avatarId);
      });
      await new Portal(realm).register(users()).login(joe(), mindOf({}, connection.signal), Mailbox);
      expect(minds[0]?.signal.aborted).toBe(false);
      connection.abort();
      expect(minds[0]?.signal.aborted).toBe(true);
    }
  });

  it('during the first call of the checker is refused at once', async () => {
    for (const listens of [true, false]) {
      const connection = new AbortController();
      const portal = portalOf(
        checking((_credentials, { signal }) => {
          if (listens) expect(signal.aborted).toBe(false);
          connection.abort(new Error('connection reset'));
          return new Promise(() => {});
        }),
      );
      const login = Promise.resolve(portal.login(joe(), mindOf({}, connection.signal), Mailbox)).catch(
        (thrown) => thrown,
      );
      expect(await Promise.race([login, settle()])).toBeInstanceOf(TemporaryFailure);
    }
  });

  it('at any moment leaves no login without an owner', async () => {
    for (let turns = 0; turns < 30; turns += 1) {
      const connection = new AbortController();
      const portal = new Portal(mailboxes()).register(users());
      const login = Promise.resolve(portal.login(joe(), mindOf({}, connection.signal), Mailbox)).catch(() => undefined);
      for (let n = 0; n < turns; n += 1) await Promise.resolve();
      connection.abort();
      const open = (await login) === undefined ? 0 : 1;
      await settle();
      expect([turns, portal.openLogins]).toEqual([turns, open]);
    }
  });

  it('has no listener of the portal after the logout', async () => {
    const { signal, listeners } = counting();
    const portal = portalOf(
      checking((_credentials, mind) => {
        expect(mind.signal.aborted).toBe(false);
        return 'joe';
      }),
    );
    const login = await portal.login(joe(), mindOf({}, signal), Mailbox);
    expect(listeners()).toBe(1);
    await login.logout();
    expect(listeners()).toBe(0);
  });

  it('has no listener after a checker that read the signal and threw', async () => {
    const { signal, listeners } = counting();
    const portal = portalOf(
      checking((_credentials, mind) => {
        expect(mind.signal.aborted).toBe(false);
        throw new UnauthorizedLogin();
      }),
    );
    await expect(portal.login(joe(), mindOf({}, signal), Mailbox)).rejects.toBeInstanceOf(UnauthorizedLogin);
    expect(listeners()).toBe(0);
  });

  it('has no listener after the logout, at any moment at which the avatar reads the signal', async () => {
    for (let moments = 0; moments < 12; moments++) {
      const { signal, listeners } = counting();
      const ask = async (mind: Mind): Promise<void> => {
        for (let moment = 0; moment < moments; moment++) await Promise.resolve();
        expect(mind.signal.aborted).toBe(false);
      };
      const realm = new AvatarRealm().provide(Mailbox, async (avatarId, mind) => {
        void ask(mind);
        return new MemoryMailbox(avatarId);
      });
      const login = await new Portal(realm).register(users()).login(joe(), mindOf({}, signal), Mailbox);
      await settle();
      await login.logout();
      expect([moments, listeners()]).toEqual([moments, 0]);
    }
  });
});

/** Returns a signal that counts its listeners. */
function counting(): { signal: AbortSignal; listeners: () => number } {
  const listening = new Set<unknown>();
  class Counting extends EventTarget {
    readonly aborted = false;
    override addEventListener(...args: Parameters<EventTarget['addEventListener']>): void {
      listening.add(args[1]);
      super.addEventListener(...args);
    }
    override removeEventListener(...args: Parameters<EventTarget['removeEventListener']>): void {
      listening.delete(args[1]);
      super.removeEventListener(...args);
    }
  }
  return { signal: new Counting() as AbortSignal, listeners: () => listening.size };
}
