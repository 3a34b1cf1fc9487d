import {
  ANONYMOUS,
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  type Checker,
  type Clock,
  Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  Login,
  LoginDenied,
  type LogoutReason,
  type Mind,
  NoAvatar,
  PasswordProof,
  Portal,
  type PortalOptions,
  type Realm,
  TemporaryFailure,
  UnauthorizedLogin,
  UnhandledCredentials,
  UsernamePassword,
} from '@postern/cred';
import { FakeClock, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { mindOf } from './support.ts';

abstract class Mailbox {
  abstract readonly owner: AvatarId;
}
class MemoryMailbox extends Mailbox {
  readonly owner: AvatarId;
  constructor(owner: AvatarId) {
    super();
    this.owner = owner;
  }
}
class Delivery {
  readonly from: AvatarId;
  constructor(from: AvatarId) {
    this.from = from;
  }
}

const joe = () => new UsernamePassword('joe', 's3cret');
const users = () => new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
const mailboxes = () => new AvatarRealm().provide(Mailbox, (avatarId) => new MemoryMailbox(avatarId));

function portalOf(checker: Checker<UsernamePassword>, options?: PortalOptions): Portal {
  return new Portal(mailboxes(), options).register(checker);
}

/** A checker that answers as the function says. */
function checking(requestAvatarId: Checker<UsernamePassword>['requestAvatarId']): Checker<UsernamePassword> {
  return { credentialInterfaces: [UsernamePassword], requestAvatarId };
}

describe('a login', () => {
  it('brings the avatar of whom the checker recognised', async () => {
    const portal = new Portal(mailboxes()).register(users());
    const login = await portal.login(joe(), mindOf(), Mailbox);
    expect(login.avatarId).toBe('joe');
    expect(login.avatar).toBeInstanceOf(MemoryMailbox);
    expect(login.avatar.owner).toBe('joe');
  });

  it('of wrong credentials is an UnauthorizedLogin, the same for an unknown user', async () => {
    const portal = new Portal(mailboxes()).register(users());
    const wrong = await portal.login(new UsernamePassword('joe', 'wrong'), mindOf(), Mailbox).catch((error) => error);
    const unknown = await portal
      .login(new UsernamePassword('ann', 's3cret'), mindOf(), Mailbox)
      .catch((error) => error);
    expect(wrong).toBeInstanceOf(UnauthorizedLogin);
    expect(unknown).toBeInstanceOf(UnauthorizedLogin);
    expect(unknown.message).toBe(wrong.message);
  });

  it('of somebody without a name has the avatar id ANONYMOUS, which is no string', async () => {
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

  it('hands checker and realm what the protocol knows of the client', async () => {
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
  ])('takes the most derived class, whatever the order of registration: %s', async (_order, portal) => {
    expect((await portal.login(new Base(), mindOf(), Mailbox)).avatarId).toBe('the base checker');
    expect((await portal.login(new Derived(), mindOf(), Mailbox)).avatarId).toBe('the derived checker');
    expect((await portal.login(new MoreDerived(), mindOf(), Mailbox)).avatarId).toBe('the derived checker');
  });

  it('does not hand credentials of a base class to a checker of a derived one', async () => {
    const portal = new Portal(mailboxes()).register(derived);
    await expect(portal.login(new Base(), mindOf(), Mailbox)).rejects.toBeInstanceOf(UnhandledCredentials);
  });

  it('knows beforehand what it handles', () => {
    const portal = new Portal(mailboxes()).register(derived);
    expect([Base, Derived, MoreDerived, Anonymous].map((one) => portal.handles(one))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(portal.credentialInterfaces).toEqual([Derived]);
  });

  it('is the operator’s fault where no checker is registered', async () => {
    const error = await new Portal(mailboxes()).login(joe(), mindOf(), Mailbox).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UnhandledCredentials);
    expect(error.culprit).toBe('operator');
    expect(error.message).toContain('UsernamePassword');
  });
});

describe('registering', () => {
  it('counts from then on, also for classes that were asked about before', async () => {
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

  it('a second checker for an interface is an error that names CascadingChecker, and changes nothing', async () => {
    const portal = new Portal(mailboxes()).register(users());
    const both: Checker<Anonymous | PasswordProof> = {
      credentialInterfaces: [Anonymous, PasswordProof],
      requestAvatarId: () => 'somebody',
    };
    expect(() => portal.register(both)).toThrow(/CascadingChecker/);
    expect(portal.handles(Anonymous)).toBe(false);
    expect((await portal.login(joe(), mindOf(), Mailbox)).avatarId).toBe('joe');
  });

  it('may be for some of what a checker judges, and for what derives from it', async () => {
    const portal = new Portal(mailboxes()).register(users(), UsernamePassword);
    expect(portal.credentialInterfaces).toEqual([UsernamePassword]);
    expect(portal.handles(PasswordProof)).toBe(false);
  });

  it('is refused for what the checker does not judge', () => {
    const untyped: Checker<Credentials> = users() as never;
    expect(() => new Portal(mailboxes()).register(untyped, Anonymous)).toThrow(/does not judge Anonymous/);
  });

  it('is refused for a checker that judges nothing', () => {
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
  ])('that throws %s is a TemporaryFailure, with the cause', async (_what, thrown) => {
    for (const fail of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ]) {
      const error = await portalOf(checking(fail))
        .login(joe(), mindOf(), Mailbox)
        .catch((rejected) => rejected);
      expect(error).toBeInstanceOf(TemporaryFailure);
      expect(error).toMatchObject({ code: 'temporary', culprit: 'us', cause: thrown });
      expect(error.message).not.toContain('database');
    }
  });

  it('that denies is heard as it is', async () => {
    const denial = new LoginDenied('disabled');
    const portal = portalOf(checking(() => Promise.reject(denial)));
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBe(denial);
  });

  it.each([[undefined], [null]])('that comes to no decision (%s) has refused', async (nothing) => {
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

describe('what a client has left to say', () => {
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

  it('is not asked for after a success, nor when nobody waits for the login any more', async () => {
    const live = new Live();
    await portalWith(() => 'joe').login(live, mindOf(), Mailbox);
    const connection = new AbortController();
    const leaving = portalWith(() => {
      connection.abort();
      throw new UnauthorizedLogin();
    });
    await leaving.login(live, mindOf({}, connection.signal), Mailbox).catch(() => {});
    expect(live.concluded).toBe(0);
  });
});

describe('an authorization identity', () => {
  const as = (authzid: string | undefined) => new UsernamePassword('joe', 's3cret', authzid);
  const joes = () => portalOf(checking(() => 'joe@example.com'));

  it('that is empty was not asked for', async () => {
    expect(as('').authzid).toBeUndefined();
    expect((await joes().login(as(''), mindOf(), Mailbox)).avatarId).toBe('joe@example.com');
  });

  it.each([['joe'], ['joe@example.com']])('may be the user’s own: %s', async (authzid) => {
    expect((await joes().login(as(authzid), mindOf(), Mailbox)).avatarId).toBe('joe@example.com');
  });

  it.each([['ann'], ['JOE'], ['joe '], ['joe@example.org']])('may be nobody else’s: %s', async (authzid) => {
    const error = await joes()
      .login(as(authzid), mindOf(), Mailbox)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(LoginDenied);
    expect(error.reason).toBe('not-authorized');
  });

  it('is never anybody’s who has no name', async () => {
    class Guest extends Credentials {
      readonly username = undefined;
    }
    const checker: Checker<Guest> = { credentialInterfaces: [Guest], requestAvatarId: () => ANONYMOUS };
    const portal = new Portal(mailboxes()).register(checker);
    await expect(portal.login(new Guest('joe'), mindOf(), Mailbox)).rejects.toBeInstanceOf(LoginDenied);
    // Nor is it that of who came with a name and was let in without one.
    const nameless = portalOf(checking(() => ANONYMOUS));
    await expect(nameless.login(as('joe'), mindOf(), Mailbox)).rejects.toBeInstanceOf(LoginDenied);
  });

  it('is decided by the portal’s policy, after the credentials were found right, and only then', async () => {
    const asked: unknown[] = [];
    const portal = new Portal(mailboxes(), {
      authorize: (avatarId, authzid) => {
        asked.push([avatarId, authzid]);
        return authzid;
      },
    }).register(users());
    expect((await portal.login(as('ann'), mindOf(), Mailbox)).avatarId).toBe('ann');
    await portal.login(as(undefined), mindOf(), Mailbox);
    await portal.login(new UsernamePassword('joe', 'wrong', 'ann'), mindOf(), Mailbox).catch(() => {});
    expect(asked).toEqual([['joe', 'ann']]);
  });

  it.each([[undefined], ['']])('that the policy answers with nothing (%j) is denied', async (nothing) => {
    const portal = new Portal(mailboxes(), { authorize: () => nothing as never }).register(users());
    await expect(portal.login(as('ann'), mindOf(), Mailbox)).rejects.toBeInstanceOf(LoginDenied);
  });
});

describe('a realm', () => {
  it('that serves none of the interfaces is a NoAvatar, the operator’s fault, that names them', async () => {
    const error = await portalOf(checking(() => 'joe'))
      .login(joe(), mindOf(), Delivery)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(NoAvatar);
    expect(error.culprit).toBe('operator');
    expect(error.message).toContain('Delivery');
  });

  it('that returns an avatar of another class is a NoAvatar, and the avatar is logged out', async () => {
    const reasons: LogoutReason[] = [];
    for (const trouble of [() => {}, () => Promise.reject(new Error('cannot leave'))]) {
      const realm: Realm = {
        requestAvatar: (avatarId) =>
          new Login(avatarId, { looks: 'like one' } as never, (reason) => {
            reasons.push(reason);
            return trouble();
          }),
      };
      const portal = new Portal(realm).register(users());
      await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(NoAvatar);
      expect(portal.openLogins).toBe(0);
    }
    expect(reasons).toEqual(['reset', 'reset']);
  });

  it('that returns nothing is a NoAvatar', async () => {
    const portal = new Portal({ requestAvatar: () => undefined as never }).register(users());
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(NoAvatar);
  });

  it('that throws is a TemporaryFailure; its denial passes', async () => {
    const failing = new Portal({ requestAvatar: () => Promise.reject(new Error('disk')) }).register(users());
    await expect(failing.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(TemporaryFailure);
    const denial = new LoginDenied('expired');
    const denying = new Portal({ requestAvatar: () => Promise.reject(denial) }).register(users());
    await expect(denying.login(joe(), mindOf(), Mailbox)).rejects.toBe(denial);
  });
});

describe('a login that takes too long', () => {
  it('is a TemporaryFailure, tells the checker by its signal, and never asks the realm', async () => {
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

  it('logs out an avatar that comes late', async () => {
    const clock = new FakeClock();
    const coming = Promise.withResolvers<Login<Mailbox>>();
    const reasons: LogoutReason[] = [];
    const portal = new Portal({ requestAvatar: () => coming.promise as never }, { clock }).register(users());
    const refused = expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(TemporaryFailure);
    await settle();
    await clock.advance(60_000);
    await refused;
    coming.resolve(new Login('joe', new MemoryMailbox('joe'), (reason) => void reasons.push(reason)));
    await settle();
    expect(reasons).toEqual(['timeout']);
    expect(portal.openLogins).toBe(0);
  });

  it('leaves no timer behind, whatever came of it', async () => {
    const clock = new FakeClock();
    const portal = new Portal(mailboxes(), { clock }).register(users());
    const login = await portal.login(joe(), mindOf(), Mailbox);
    await portal.login(new UsernamePassword('joe', 'wrong'), mindOf(), Mailbox).catch(() => {});
    await login.logout();
    expect(clock.pending).toBe(0);
  });

  it('keeps the process alive until it is decided, and so does a logout', async () => {
    const kept: (boolean | undefined)[] = [];
    const clock: Clock = {
      now: () => 0,
      after(_milliseconds, _callback, keepsAlive) {
        kept.push(keepsAlive);
        return { [Symbol.dispose]: () => {} };
      },
    };
    const realm: Realm = {
      requestAvatar: (avatarId) => new Login(avatarId, new MemoryMailbox(avatarId) as never, () => settle()),
    };
    const portal = new Portal(realm, { clock }).register(checking(async () => 'joe'));
    await (await portal.login(joe(), mindOf(), Mailbox)).logout();
    expect(kept).toEqual([true, true]);
  });

  it.each([[0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY], [2 ** 31]])(
    'cannot be put off by a deadline of %s',
    (loginTimeout) => {
      expect(() => new Portal(mailboxes(), { loginTimeout })).toThrow(RangeError);
    },
  );
});

describe('a client that leaves', () => {
  it('before the login is not let in, and nobody is asked', async () => {
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

  it('while the checker works is not let in; what the checker still says or throws is not heard', async () => {
    for (const end of ['resolve', 'reject'] as const) {
      const connection = new AbortController();
      const answer = Promise.withResolvers<AvatarId>();
      const portal = portalOf(checking(() => answer.promise));
      const login = portal.login(joe(), mindOf({}, connection.signal), Mailbox);
      connection.abort(new Error('connection reset'));
      const error = await login.catch((thrown) => thrown);
      expect(error).toBeInstanceOf(TemporaryFailure);
      expect(error.cause).toMatchObject({ message: 'connection reset' });
      answer[end]('joe');
      await settle();
      expect(portal.openLogins).toBe(0);
    }
  });

  it('while the realm works is logged out when the avatar comes', async () => {
    const connection = new AbortController();
    const coming = Promise.withResolvers<Login<Mailbox>>();
    const reasons: LogoutReason[] = [];
    const portal = new Portal({ requestAvatar: () => coming.promise as never }).register(users());
    const login = portal.login(joe(), mindOf({}, connection.signal), Mailbox);
    await settle();
    connection.abort();
    await expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    coming.resolve(new Login('joe', new MemoryMailbox('joe'), (reason) => void reasons.push(reason)));
    await settle();
    expect(reasons).toEqual(['disconnected']);
    expect(portal.openLogins).toBe(0);
  });

  it('after the login is still told to avatars that have kept the mind, whether they asked for its signal before or not', async () => {
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

  it('while the checker begins is not waited for', async () => {
    for (const listens of [true, false]) {
      const connection = new AbortController();
      const portal = portalOf(
        checking((_credentials, { signal }) => {
          if (listens) expect(signal.aborted).toBe(false);
          connection.abort(new Error('connection reset'));
          return new Promise(() => {});
        }),
      );
      const login = portal.login(joe(), mindOf({}, connection.signal), Mailbox).catch((thrown) => thrown);
      expect(await Promise.race([login, settle()])).toBeInstanceOf(TemporaryFailure);
    }
  });

  it('at whatever moment, leaves no login behind that nobody has', async () => {
    for (let turns = 0; turns < 30; turns += 1) {
      const connection = new AbortController();
      const portal = new Portal(mailboxes()).register(users());
      const login = portal.login(joe(), mindOf({}, connection.signal), Mailbox).catch(() => undefined);
      for (let n = 0; n < turns; n += 1) await Promise.resolve();
      connection.abort();
      const open = (await login) === undefined ? 0 : 1;
      await settle();
      expect([turns, portal.openLogins]).toEqual([turns, open]);
    }
  });

  it('is not listened for any more after the logout', async () => {
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

  it('is not listened for after the logout, at whatever moment an avatar has asked for the signal', async () => {
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

describe('a logout', () => {
  async function loggedIn(onLogout: (reason: LogoutReason) => void | Promise<void>, options?: PortalOptions) {
    const realm: Realm = {
      requestAvatar: (avatarId) => new Login(avatarId, new MemoryMailbox(avatarId) as never, onLogout),
    };
    const portal = new Portal(realm, options).register(users());
    return { portal, login: await portal.login(joe(), mindOf(), Mailbox) };
  }

  it('runs once, with the first reason, and every call waits for it', async () => {
    const reasons: LogoutReason[] = [];
    const gone = Promise.withResolvers<void>();
    const { login } = await loggedIn((reason) => {
      reasons.push(reason);
      return gone.promise;
    });
    let second = false;
    const first = login.logout('timeout');
    const again = login.logout('quit').then(() => {
      second = true;
    });
    await settle();
    expect(second).toBe(false);
    gone.resolve();
    await Promise.all([first, again]);
    expect(reasons).toEqual(['timeout']);
  });

  it('runs once even if the avatar logs itself out in it', async () => {
    let runs = 0;
    const { login } = await loggedIn(() => {
      runs += 1;
      void login.logout();
    });
    await login.logout();
    expect(runs).toBe(1);
  });

  it('is what `await using` does', async () => {
    const reasons: LogoutReason[] = [];
    {
      const { login } = await loggedIn((reason) => void reasons.push(reason));
      await using _login = login;
    }
    expect(reasons).toEqual(['quit']);
  });

  it('counts as open until it has ended', async () => {
    const gone = Promise.withResolvers<void>();
    const { portal, login } = await loggedIn(() => gone.promise);
    expect(portal.openLogins).toBe(1);
    const logout = login.logout();
    expect(portal.openLogins).toBe(1);
    gone.resolve();
    await logout;
    expect(portal.openLogins).toBe(0);
  });

  it('that never ends is given up after the deadline', async () => {
    const clock = new FakeClock();
    const { portal, login } = await loggedIn(() => new Promise(() => {}), { clock, loginTimeout: 1000 });
    const refused = expect(login.logout()).rejects.toBeInstanceOf(TemporaryFailure);
    await clock.advance(1000);
    await refused;
    expect(portal.openLogins).toBe(0);
  });

  it('that fails tells who asked for it', async () => {
    const { portal, login } = await loggedIn(() => Promise.reject(new Error('cannot save')));
    await expect(login.logout()).rejects.toThrow('cannot save');
    expect(portal.openLogins).toBe(0);
  });
});

describe('a drain', () => {
  it('waits for everybody, those included who are leaving already, and lets nobody’s failure keep another', async () => {
    const leaving = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const reasons: LogoutReason[] = [];
    let next = 0;
    const portal = new Portal({
      requestAvatar: (avatarId) => {
        const { promise } = leaving[next++] ?? Promise.withResolvers<void>();
        return new Login(avatarId, new MemoryMailbox(avatarId) as never, (reason) => {
          reasons.push(reason);
          return promise;
        });
      },
    }).register(users());
    const [first] = await Promise.all([1, 2, 3].map(() => portal.login(joe(), mindOf(), Mailbox)));
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

  it('leaves nobody in who can be logged out at once', async () => {
    const portal = new Portal(mailboxes()).register(users());
    for (let n = 0; n < 10; n += 1) await portal.login(joe(), mindOf(), Mailbox);
    await portal.drain();
    expect(portal.openLogins).toBe(0);
  });

  it('breaks off logins under way, waits for an avatar that comes late, and lets nobody in any more', async () => {
    const coming = Promise.withResolvers<Login<Mailbox>>();
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
    coming.resolve(new Login('joe', new MemoryMailbox('joe'), (reason) => void reasons.push(reason)));
    await drain;
    expect(reasons).toEqual(['shutdown']);
  });

  it('does not wait longer than the deadline for a realm that never answers', async () => {
    const clock = new FakeClock();
    const portal = new Portal({ requestAvatar: () => new Promise(() => {}) }, { clock, loginTimeout: 1000 }).register(
      users(),
    );
    const login = portal.login(joe(), mindOf(), Mailbox).catch((error) => error);
    await settle();
    const drain = portal.drain();
    await settle();
    await clock.advance(1000);
    await drain;
    expect(await login).toBeInstanceOf(TemporaryFailure);
  });
});

/** A signal that knows how many listen to it. */
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
