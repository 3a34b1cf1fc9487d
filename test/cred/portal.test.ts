import {
  ANONYMOUS,
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  type Checker,
  Credentials,
  LoginDenied,
  type LogoutReason,
  type Mind,
  NoAvatar,
  PasswordProof,
  Portal,
  type Realm,
  TemporaryFailure,
  UnauthorizedLogin,
  UnhandledCredentials,
  UsernamePassword,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';
import { checking, joe, Mailbox, MemoryMailbox, mailboxes, portalOf, users } from './portal-support.ts';
import { mindOf } from './support.ts';

class Delivery {
  readonly from: AvatarId;
  constructor(from: AvatarId) {
    this.from = from;
  }
}

describe('a login', () => {
  it('returns the avatar of the user that the checker accepts', async () => {
    const portal = new Portal(mailboxes()).register(users());
    const login = await portal.login(joe(), mindOf(), Mailbox);
    expect(login.avatarId).toBe('joe');
    expect(login.avatar).toBeInstanceOf(MemoryMailbox);
    expect(login.avatar.owner).toBe('joe');
  });

  it('with wrong credentials rejects with the UnauthorizedLogin of an unknown user', async () => {
    const portal = new Portal(mailboxes()).register(users());
    const wrong = await Promise.resolve(portal.login(new UsernamePassword('joe', 'wrong'), mindOf(), Mailbox)).catch(
      (error) => error,
    );
    const unknown = await Promise.resolve(portal.login(new UsernamePassword('ann', 's3cret'), mindOf(), Mailbox)).catch(
      (error) => error,
    );
    expect(wrong).toBeInstanceOf(UnauthorizedLogin);
    expect(unknown).toBeInstanceOf(UnauthorizedLogin);
    expect(unknown.message).toBe(wrong.message);
  });

  it('without a name has the avatar id ANONYMOUS, which is no string', async () => {
    const portal = new Portal(mailboxes()).register(new AnonymousChecker());
    const { avatarId, avatar } = await portal.login(new Anonymous('trace'), mindOf(), Mailbox);
    expect(avatarId).toBe(ANONYMOUS);
    expect(avatar.owner).toBe(ANONYMOUS);
    expect(typeof ANONYMOUS).toBe('symbol');
  });

  it('asks the realm for the first interface that it serves', async () => {
    const realm = mailboxes().provide(Delivery, (avatarId) => new Delivery(avatarId));
    const portal = new Portal(realm).register(users());
    const { avatar } = await portal.login(joe(), mindOf(), Delivery, Mailbox);
    expect(avatar).toBeInstanceOf(Delivery);
  });

  it('passes the mind to the checker and the realm', async () => {
    const seen: Mind[] = [];
    const mind = mindOf();
    const realm = new AvatarRealm().provide(Mailbox, (avatarId, its) => {
      seen.push(its);
      return new MemoryMailbox(avatarId);
    });
    const portal = new Portal(realm).register(
      checking((_credentials, its) => {
        seen.push(its);
        return 'joe';
      }),
    );
    await portal.login(joe(), mind, Mailbox);
    expect(seen).toHaveLength(2);
    for (const { protocol, remote, local, tls, clientName, store } of seen) {
      expect({ protocol, remote, local, tls, clientName }).toEqual({
        protocol: mind.protocol,
        remote: mind.remote,
        local: mind.local,
        tls: mind.tls,
        clientName: mind.clientName,
      });
      expect(store).toBe(mind.store);
    }
  });
});

describe('routing', () => {
  class Base extends Credentials {
    readonly username: string = 'base';
  }
  class Derived extends Base {
    override readonly username = 'derived';
  }
  class MoreDerived extends Derived {}
  const base: Checker<Base> = { credentialInterfaces: [Base], requestAvatarId: () => 'the base checker' };
  const derived: Checker<Derived> = { credentialInterfaces: [Derived], requestAvatarId: () => 'the derived checker' };

  it.each([
    ['base first', new Portal(mailboxes()).register(base).register(derived)],
    ['derived first', new Portal(mailboxes()).register(derived).register(base)],
  ])('prefers the most derived class in each order of registration: %s', async (_order, portal) => {
    expect((await portal.login(new Base(), mindOf(), Mailbox)).avatarId).toBe('the base checker');
    expect((await portal.login(new Derived(), mindOf(), Mailbox)).avatarId).toBe('the derived checker');
    expect((await portal.login(new MoreDerived(), mindOf(), Mailbox)).avatarId).toBe('the derived checker');
  });

  it('passes no credentials of a base class to a checker of a derived class', async () => {
    const portal = new Portal(mailboxes()).register(derived);
    await expect(portal.login(new Base(), mindOf(), Mailbox)).rejects.toBeInstanceOf(UnhandledCredentials);
  });

  it('reports which credentials have a checker', () => {
    const portal = new Portal(mailboxes()).register(derived);
    expect([Base, Derived, MoreDerived, Anonymous].map((one) => portal.handles(one))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(portal.credentialInterfaces).toEqual([Derived]);
  });

  it('without a checker is the fault of the operator', async () => {
    const error = await Promise.resolve(new Portal(mailboxes()).login(joe(), mindOf(), Mailbox)).catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(UnhandledCredentials);
    expect(error.culprit).toBe('operator');
    expect(error.message).toContain('UsernamePassword');
  });
});

describe('registering', () => {
  it('takes effect for classes that were looked up before', async () => {
    const portal = new Portal(mailboxes());
    expect(portal.handles(UsernamePassword)).toBe(false);
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(UnhandledCredentials);
    portal.register(users());
    expect(portal.handles(UsernamePassword)).toBe(true);
    expect((await portal.login(joe(), mindOf(), Mailbox)).avatarId).toBe('joe');
    portal.register(
      checking(() => 'another'),
      UsernamePassword,
    );
    expect((await portal.login(joe(), mindOf(), Mailbox)).avatarId).toBe('another');
  });

  it('a second checker for a class throws an error that names CascadingChecker, and changes nothing', async () => {
    const portal = new Portal(mailboxes()).register(users());
    const both: Checker<Anonymous | PasswordProof> = {
      credentialInterfaces: [Anonymous, PasswordProof],
      requestAvatarId: () => 'somebody',
    };
    expect(() => portal.register(both)).toThrow(/CascadingChecker/);
    expect(portal.handles(Anonymous)).toBe(false);
    expect((await portal.login(joe(), mindOf(), Mailbox)).avatarId).toBe('joe');
  });

  it('accepts some of the classes of a checker, and derived classes', async () => {
    const portal = new Portal(mailboxes()).register(users(), UsernamePassword);
    expect(portal.credentialInterfaces).toEqual([UsernamePassword]);
    expect(portal.handles(PasswordProof)).toBe(false);
  });

  it('throws for a class that the checker does not judge', () => {
    const untyped: Checker<Credentials> = users() as never;
    expect(() => new Portal(mailboxes()).register(untyped, Anonymous)).toThrow(/does not judge Anonymous/);
  });

  it('throws for a checker without a class of credentials', () => {
    expect(() => new Portal(mailboxes()).register({ credentialInterfaces: [], requestAvatarId: () => 'x' })).toThrow(
      TypeError,
    );
  });
});

describe('a checker', () => {
  it.each([
    ['an Error', new Error('database down')],
    ['a string', 'database down'],
    ['undefined', undefined],
    ['a TypeError', new TypeError('x is not a function')],
  ])('that throws %s causes a TemporaryFailure', async (_what, thrown) => {
    for (const fail of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ]) {
      const error = await Promise.resolve(portalOf(checking(fail)).login(joe(), mindOf(), Mailbox)).catch(
        (rejected) => rejected,
      );
      expect(error).toBeInstanceOf(TemporaryFailure);
      expect(error).toMatchObject({ code: 'temporary', culprit: 'us', cause: thrown });
      expect(error.message).not.toContain('database');
    }
  });

  it('that throws LoginDenied rejects the login with it', async () => {
    const denial = new LoginDenied('disabled');
    const portal = portalOf(checking(() => Promise.reject(denial)));
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBe(denial);
  });

  it.each([[undefined], [null]])('that returns %s refuses the login', async (nothing) => {
    const portal = portalOf(checking(() => nothing as never));
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it.each([[''], [0], [true], [{}], [Symbol('joe')]])(
    'that returns %o, which is no avatar id, has failed',
    async (answer) => {
      const portal = portalOf(checking(() => answer as never));
      await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(TemporaryFailure);
    },
  );
});

describe('the rest of an exchange', () => {
  class Live extends Credentials {
    readonly username = 'joe';
    concluded = 0;
    override conclude(): void {
      this.concluded += 1;
    }
  }
  const portalWith = (requestAvatarId: Checker<Live>['requestAvatarId']) =>
    new Portal(mailboxes()).register({ credentialInterfaces: [Live], requestAvatarId });

  it.each([[new UnauthorizedLogin()], [new LoginDenied('disabled')], [new TemporaryFailure('down')]])(
    'is heard before %s is told',
    async (error) => {
      const live = new Live();
      await expect(portalWith(() => Promise.reject(error)).login(live, mindOf(), Mailbox)).rejects.toBe(error);
      expect(live.concluded).toBe(1);
    },
  );

  it('does not run after a success, nor after the end of the login', async () => {
    const live = new Live();
    await portalWith(() => 'joe').login(live, mindOf(), Mailbox);
    const connection = new AbortController();
    const leaving = portalWith(() => {
      connection.abort();
      throw new UnauthorizedLogin();
    });
    await Promise.resolve(leaving.login(live, mindOf({}, connection.signal), Mailbox)).catch(() => {});
    expect(live.concluded).toBe(0);
  });
});

describe('an authorization identity', () => {
  const as = (authzid: string | undefined) => new UsernamePassword('joe', 's3cret', authzid);
  const joes = () => portalOf(checking(() => 'joe@example.com'));

  it('that is empty counts as absent', async () => {
    expect(as('').authzid).toBeUndefined();
    expect((await joes().login(as(''), mindOf(), Mailbox)).avatarId).toBe('joe@example.com');
  });

  it.each([['joe'], ['joe@example.com']])('may be the user itself: %s', async (authzid) => {
    expect((await joes().login(as(authzid), mindOf(), Mailbox)).avatarId).toBe('joe@example.com');
  });

  it.each([['ann'], ['JOE'], ['joe '], ['joe@example.org']])('may be no other user: %s', async (authzid) => {
    const error = await Promise.resolve(joes().login(as(authzid), mindOf(), Mailbox)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(LoginDenied);
    expect(error.reason).toBe('not-authorized');
  });

  it('is refused for an anonymous client', async () => {
    class Guest extends Credentials {
      readonly username = undefined;
    }
    const checker: Checker<Guest> = { credentialInterfaces: [Guest], requestAvatarId: () => ANONYMOUS };
    const portal = new Portal(mailboxes()).register(checker);
    await expect(portal.login(new Guest('joe'), mindOf(), Mailbox)).rejects.toBeInstanceOf(LoginDenied);
    // The checker accepts the next client as anonymous, although its credentials have a name.
    const nameless = portalOf(checking(() => ANONYMOUS));
    await expect(nameless.login(as('joe'), mindOf(), Mailbox)).rejects.toBeInstanceOf(LoginDenied);
  });

  it('goes to the policy of the portal only after the checker accepts', async () => {
    const asked: unknown[] = [];
    const portal = new Portal(mailboxes(), {
      authorize: (avatarId, authzid) => {
        asked.push([avatarId, authzid]);
        return authzid;
      },
    }).register(users());
    expect((await portal.login(as('ann'), mindOf(), Mailbox)).avatarId).toBe('ann');
    await portal.login(as(undefined), mindOf(), Mailbox);
    await Promise.resolve(portal.login(new UsernamePassword('joe', 'wrong', 'ann'), mindOf(), Mailbox)).catch(() => {});
    expect(asked).toEqual([['joe', 'ann']]);
  });

  it.each([[undefined], ['']])('is denied if the policy returns %j', async (nothing) => {
    const portal = new Portal(mailboxes(), { authorize: () => nothing as never }).register(users());
    await expect(portal.login(as('ann'), mindOf(), Mailbox)).rejects.toBeInstanceOf(LoginDenied);
  });
});

describe('a realm', () => {
  it('that serves none of the interfaces causes a NoAvatar that names them', async () => {
    const error = await Promise.resolve(portalOf(checking(() => 'joe')).login(joe(), mindOf(), Delivery)).catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(NoAvatar);
    expect(error.culprit).toBe('operator');
    expect(error.message).toContain('Delivery');
  });

  it('that returns an avatar of another class causes a NoAvatar and a logout', async () => {
    const reasons: LogoutReason[] = [];
    for (const logout of [() => {}, () => Promise.reject(new Error('cannot leave'))]) {
      const realm: Realm = {
        requestAvatar: () => ({
          avatar: { looks: 'like one' } as never,
          logout(reason) {
            reasons.push(reason);
            return logout();
          },
        }),
      };
      const portal = new Portal(realm).register(users());
      await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(NoAvatar);
      expect(portal.openLogins).toBe(0);
    }
    expect(reasons).toEqual(['reset', 'reset']);
  });

  it.each<[unknown, string]>([
    [{ looks: 'like one' }, 'an object literal'],
    [Object.create(null), 'an object literal'],
    [new Date(), 'an object of class Date'],
    [Delivery, 'the class or function Delivery'],
    ['a mailbox', 'a mailbox'],
    [null, 'null'],
  ])('that returns %o as the avatar causes a NoAvatar that names it', async (avatar, kind) => {
    const realm = new AvatarRealm().provide(Mailbox, () => avatar as never);
    const login = new Portal(realm).register(users()).login(joe(), mindOf(), Mailbox);
    await expect(login).rejects.toThrow(`the realm returned ${kind}, which is no instance of Mailbox; expected`);
  });

  it('that returns nothing causes a NoAvatar', async () => {
    const portal = new Portal({ requestAvatar: () => undefined as never }).register(users());
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(NoAvatar);
  });

  it('that throws causes a TemporaryFailure, except for a LoginDenied', async () => {
    const failing = new Portal({ requestAvatar: () => Promise.reject(new Error('disk')) }).register(users());
    await expect(failing.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(TemporaryFailure);
    const denial = new LoginDenied('expired');
    const denying = new Portal({ requestAvatar: () => Promise.reject(denial) }).register(users());
    await expect(denying.login(joe(), mindOf(), Mailbox)).rejects.toBe(denial);
  });
});
