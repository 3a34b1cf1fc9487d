import {
  ANONYMOUS,
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  Credentials,
  LoginDenied,
  type Mind,
  PasswordProof,
  Portal,
  TemporaryFailure,
  TrustedLogin,
  TrustedLoginChecker,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { FakeClock } from '@postern/testing';
import { type FailureCounts, InMemoryFailureCounts, type ThrottleOptions, withThrottle } from '@postern/throttle';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../cred/support.ts';
import { guarded, HERE, limits, MINUTE, refused, THERE, tooMany } from './support.ts';

describe('a throttle', () => {
  it('accepts right logins', async () => {
    const { login, counted } = guarded();
    for (let n = 0; n < 10; n += 1) expect(await login('joe', 's3cret')).toBe('joe');
    expect(counted.asked).toBe(10);
  });

  it('judges the credentials of its checker', () => {
    expect(guarded().checker.credentialInterfaces).toEqual([PasswordProof]);
  });

  it('does not ask the checker at the limit, even for the right password', async () => {
    const { guess, login, counted } = guarded();
    for (let n = 0; n < 3; n += 1) expect(await guess('joe')).toEqual(refused);
    expect(await guess('joe')).toEqual(tooMany);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    expect(counted.asked).toBe(3);
  });

  it('has a retryAfter if the store reports the remaining time', async () => {
    const clock = new FakeClock();
    const { guess } = guarded({ ...limits, clock });
    await guess('joe');
    await clock.advance(MINUTE / 4);
    await guess('joe');
    await guess('joe');
    expect(await guess('joe')).toMatchObject({ reason: 'too-many', retryAfter: (MINUTE * 3) / 4 });

    const silent: FailureCounts = { get: () => 1_000, add() {}, reset() {} };
    const { guess: other } = guarded({ ...limits, counts: silent });
    expect(await other('joe')).toMatchObject({ reason: 'too-many', retryAfter: undefined });
  });

  it('accepts again after the window, counted from the first failure', async () => {
    const clock = new FakeClock();
    const { guess, login } = guarded({ ...limits, clock });
    await guess('joe');
    await clock.advance(MINUTE / 2);
    await guess('joe');
    await guess('joe');
    await clock.advance(MINUTE / 2 - 1);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    await clock.advance(1);
    expect(await login('joe', 's3cret')).toBe('joe');
  });

  it('does not extend the window by denied logins', async () => {
    const clock = new FakeClock();
    const { guess, login } = guarded({ ...limits, clock });
    for (let n = 0; n < 3; n += 1) await guess('joe');
    await clock.advance(MINUTE - 1);
    for (let n = 0; n < 3; n += 1) await guess('joe');
    await clock.advance(1);
    expect(await login('joe', 's3cret')).toBe('joe');
  });
});

describe('failures are counted', () => {
  it('by user and network: another user and another network stay free', async () => {
    const { guess, login } = guarded();
    for (let n = 0; n < 3; n += 1) await guess('joe');
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    expect(await login('ann', 's3cret')).toBe('ann');
    expect(await login('joe', 's3cret', THERE)).toBe('joe');
  });

  it('by network, for any user', async () => {
    const { guess, login } = guarded({ ...limits, network: { failures: 5, window: MINUTE } });
    for (let n = 0; n < 5; n += 1) expect(await guess(`user${n}`)).toEqual(refused);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    expect(await login('joe', 's3cret', THERE)).toBe('joe');
  });

  it('by user, from any network', async () => {
    const { guess, login } = guarded({ ...limits, user: { failures: 5, window: MINUTE } });
    for (let n = 0; n < 5; n += 1) expect(await guess('joe', mindOf({ address: `203.0.113.${n}` }))).toEqual(refused);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    expect(await login('ann', 's3cret')).toBe('ann');
  });

  it.each([
    ['joe', 'JOE', 'ｊoe', 'Joe'],
    ['joe', 'joe ', 'jo\u00ade', ' joe'],
    ['jose', 'josé', 'jose\u0301', 'JOSÉ'],
    ['strasse', 'STRASSE', 'Straße', 'straſſe'],
    ['ΟΔΟΣ', 'οδος', 'οδοσ', 'Οδός'],
    ['joe', 'jo\u1806e', '\u1806joe', 'j\u1806o\u1806e'],
    ['straße', 'straẞe', 'STRASSE', 'STRAẞE'],
  ])('for one user in each spelling of the name: %s', async (...names) => {
    const { guess } = guarded();
    for (const name of names.slice(0, 3)) expect(await guess(name)).toEqual(refused);
    expect(await guess(names[3] as string)).toEqual(tooMany);
  });

  it('of all networks of one /48 together', async () => {
    const { guess, login } = guarded({ ...limits, site: { failures: 5, window: MINUTE } });
    const from = (address: string): Mind => mindOf({ family: 'IPv6', address });
    for (let n = 0; n < 5; n += 1) expect(await guess(`user${n}`, from(`2001:db8:1:${n}::1`))).toEqual(refused);
    await expect(login('joe', 's3cret', from('2001:db8:1:ffff::1'))).rejects.toEqual(tooMany);
    expect(await login('joe', 's3cret', from('2001:db8:2::1'))).toBe('joe');
    expect(await login('joe', 's3cret', from('::ffff:192.0.2.1'))).toBe('joe');
  });

  it('of one /64 together, and of an IPv4-mapped address as IPv4', async () => {
    const { guess } = guarded();
    const from = (address: string): Mind => mindOf({ family: 'IPv6', address });
    for (const address of ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2:ffff:ffff:ffff:ffff']) {
      expect(await guess('joe', from(address))).toEqual(refused);
    }
    expect(await guess('joe', from('2001:db8:1:2::4'))).toEqual(tooMany);
    expect(await guess('joe', from('2001:db8:1:3::4'))).toEqual(refused);
    for (let n = 0; n < 3; n += 1) await guess('ann', from('::ffff:192.0.2.1'));
    expect(await guess('ann', HERE)).toEqual(tooMany);
  });

  it('not by network on UNIX sockets and from trusted peers with many users', async () => {
    const webmail = mindOf({ address: '10.0.0.1' });
    const socket = mindOf({ family: 'unix', address: '' });
    for (const mind of [webmail, socket]) {
      const { guess, login } = guarded({
        ...limits,
        network: { failures: 2, window: MINUTE },
        user: { failures: 4, window: MINUTE },
        trusted: ({ address }) => address === '10.0.0.1',
      });
      for (let n = 0; n < 4; n += 1) expect(await guess('joe', mind)).toEqual(refused);
      expect(await guess('joe', mind)).toEqual(tooMany);
      expect(await login('ann', 's3cret', mind)).toBe('ann');
    }
  });

  it('by user from trusted peers, without a reset by a success', async () => {
    const { guess, login } = guarded({ ...limits, user: { failures: 4, window: MINUTE }, trusted: () => true });
    for (let n = 0; n < 3; n += 1) await guess('joe');
    expect(await login('joe', 's3cret')).toBe('joe');
    expect(await guess('joe')).toEqual(refused);
    expect(await guess('joe')).toEqual(tooMany);
  });

  it('of credentials without a user name by network', async () => {
    class Token extends Credentials {
      readonly username = undefined;
    }
    const checker = withThrottle<Token>(
      { credentialInterfaces: [Token], requestAvatarId: () => Promise.reject(new UnauthorizedLogin()) },
      { network: { failures: 2, window: MINUTE } },
    );
    const ask = async () =>
      Promise.resolve(checker.requestAvatarId(new Token(), HERE)).catch((error: unknown) => error);
    expect([await ask(), await ask(), await ask()]).toEqual([refused, refused, tooMany]);
  });

  it('for no key without a user name and by a UNIX socket', async () => {
    const checker = withThrottle(new AnonymousChecker());
    expect(typeof (await checker.requestAvatarId(new Anonymous(), mindOf({ family: 'unix', address: '' })))).toBe(
      'symbol',
    );
  });
});

describe('a limit', () => {
  it.each<ThrottleOptions>([
    { user: { failures: 0, window: MINUTE } },
    { user: { failures: Number.NaN, window: MINUTE } },
    { network: { failures: 10, window: 0 } },
    { site: { failures: 10, window: Number.NaN } },
    { userAndNetwork: { failures: 10, window: MINUTE, atOnce: 0 } },
  ])('that would accept or deny every login throws: %j', (options) => {
    expect(() => guarded(options)).toThrow(RangeError);
  });

  it('may be infinite', async () => {
    const none = { failures: Number.POSITIVE_INFINITY, window: MINUTE };
    const { guess } = guarded({ userAndNetwork: none, network: none, site: none, user: none });
    for (let n = 0; n < 200; n += 1) expect(await guess('joe')).toEqual(refused);
  });

  it('that is undefined has its default', async () => {
    const { guess } = guarded({ userAndNetwork: undefined } as never);
    for (let n = 0; n < 10; n += 1) expect(await guess('joe')).toEqual(refused);
    expect(await guess('joe')).toEqual(tooMany);
  });
});

describe('a client that has disconnected', () => {
  it('is not judged', async () => {
    const { login, counted } = guarded();
    const gone = mindOf({}, AbortSignal.abort());
    await expect(login('joe', 's3cret', gone)).rejects.toBeInstanceOf(TemporaryFailure);
    expect(counted.asked).toBe(0);
  });
});

describe('a success', () => {
  it('writes nothing to the store without an earlier failure', async () => {
    const counts = new InMemoryFailureCounts();
    const resets: string[] = [];
    const store: FailureCounts = {
      get: (key) => counts.get(key),
      add: (key, window) => counts.add(key, window),
      reset: (key) => void resets.push(key),
    };
    const { login, guess } = guarded({ ...limits, counts: store });
    await login('joe', 's3cret');
    expect(resets).toEqual([]);
    await guess('joe');
    await login('joe', 's3cret');
    expect(resets).toEqual([expect.stringMatching(/^user\+network:/)]);
  });

  it('resets the failures of the user from its network', async () => {
    const { guess, login } = guarded();
    for (let round = 0; round < 3; round += 1) {
      await guess('joe');
      await guess('joe');
      expect(await login('joe', 's3cret')).toBe('joe');
    }
  });

  it('resets nothing else: an own account buys no guesses at others', async () => {
    const { guess, login } = guarded({
      userAndNetwork: { failures: 1000, window: MINUTE },
      network: { failures: 4, window: MINUTE },
      user: { failures: 4, window: MINUTE },
    });
    for (let n = 0; n < 4; n += 1) {
      await guess('ann', HERE);
      if (n < 3) expect(await login('joe', 's3cret', HERE)).toBe('joe');
    }
    await expect(login('joe', 's3cret', HERE)).rejects.toEqual(tooMany);
    await expect(login('ann', 's3cret', THERE)).rejects.toEqual(tooMany);
    expect(await login('joe', 's3cret', THERE)).toBe('joe');
  });
});

describe('the count of failures', () => {
  const answering = (answer: () => AvatarId | Promise<AvatarId>) =>
    withThrottle<UsernamePassword>({ credentialInterfaces: [UsernamePassword], requestAvatarId: answer }, limits);

  it.each([
    ['another error', new Error('down'), TemporaryFailure],
    ['a TemporaryFailure', new TemporaryFailure('down'), TemporaryFailure],
    ['a denial', new LoginDenied('disabled'), LoginDenied],
  ])('leaves out %s', async (_what, thrown, as) => {
    class Avatar {}
    const portal = new Portal(new AvatarRealm().provide(Avatar, () => new Avatar())).register(
      answering(() => Promise.reject(thrown)),
    );
    for (let n = 0; n < 10; n += 1) {
      const login = portal.login(new UsernamePassword('joe', String(n)), HERE, Avatar);
      const error = await Promise.resolve(login).catch((rejected) => rejected);
      expect(error).toBeInstanceOf(as);
      expect(error).not.toEqual(tooMany);
    }
  });

  it('leaves out a repeated password, so that a forgotten client locks no user out', async () => {
    const { login } = guarded();
    for (let n = 0; n < 10; n += 1) await expect(login('joe', 'last year’s')).rejects.toEqual(refused);
    expect(await login('joe', 's3cret')).toBe('joe');
  });

  it('includes a repeated password if the checker has asked for more, such as a one-time code', async () => {
    const ask = async (): Promise<Uint8Array> => Buffer.from('123456');
    const mind = { ...HERE, exchange: { mechanism: 'LOGIN', ask } };
    const asking: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: async (_credentials, { exchange }) => {
        expect(exchange?.mechanism).toBe('LOGIN');
        await exchange?.ask(Buffer.from('Code:'));
        throw new UnauthorizedLogin();
      },
    };
    const checker = withThrottle(asking, limits);
    const attempt = async () => checker.requestAvatarId(new UsernamePassword('joe', 's3cret'), mind);
    for (let n = 0; n < 3; n += 1) await expect(attempt()).rejects.toEqual(refused);
    await expect(attempt()).rejects.toEqual(tooMany);
  });

  it('includes a repeated password of another user, from another network and in another window', async () => {
    const clock = new FakeClock();
    const counts = new InMemoryFailureCounts({ clock });
    let added = 0;
    const counting: FailureCounts = {
      get: (key) => counts.get(key),
      add: (key, window) => {
        if (key.startsWith('user+network:')) added += 1;
        counts.add(key, window);
      },
      reset: (key) => counts.reset(key),
    };
    const { login } = guarded({ ...limits, clock, counts: counting });
    const wrong = async (username: string, mind = HERE) => login(username, 'wrong', mind).catch(() => added);
    expect(await wrong('joe')).toBe(1);
    expect(await wrong('joe')).toBe(1);
    expect(await wrong('ann')).toBe(2);
    expect(await wrong('JOE')).toBe(3);
    expect(await wrong('joe', THERE)).toBe(4);
    await clock.advance(MINUTE);
    expect(await wrong('joe')).toBe(5);
  });

  it('includes a repeated password after 10,000 other guesses', async () => {
    let added = 0;
    const counts: FailureCounts = {
      get: () => 0,
      add: (key) => {
        if (key.startsWith('user:')) added += 1;
      },
      reset: () => {},
    };
    const { login, guess } = guarded({ counts });
    await login('joe', 'wrong').catch(() => {});
    for (let n = 0; n < 10_000; n += 1) await guess('joe');
    await login('joe', 'wrong').catch(() => {});
    expect(added).toBe(10_002);
  });

  it('includes each proof that hides its password', async () => {
    class Hidden extends PasswordProof {
      readonly username = 'joe';
      override checkPassword(): boolean {
        return false;
      }
    }
    const { checker } = guarded();
    const ask = async () =>
      Promise.resolve(checker.requestAvatarId(new Hidden(), HERE)).catch((error: unknown) => error);
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([refused, refused, refused, tooMany]);
  });

  it('includes a checker that returns nothing', async () => {
    const undecided = answering(() => undefined as never);
    const ask = async (n: number) =>
      Promise.resolve(undecided.requestAvatarId(new UsernamePassword('joe', String(n)), HERE)).catch(
        (error: unknown) => error,
      );
    expect([await ask(1), await ask(2), await ask(3), await ask(4)]).toEqual([refused, refused, refused, tooMany]);
  });
});

describe('the user of an account', () => {
  const options = { ...limits, user: { failures: 5, window: MINUTE, atOnce: 1 } };

  it('logs in from a network of earlier logins, whatever others guess', async () => {
    const { guess, login } = guarded(options);
    await login('joe', 's3cret');
    for (let n = 0; n < 5; n += 1) expect(await guess('joe', mindOf({ address: `10.0.0.${n}` }))).toEqual(refused);
    expect(await guess('joe', mindOf({ address: '10.0.1.0' }))).toEqual(tooMany);
    expect(await login('joe', 's3cret')).toBe('joe');
    await expect(login('joe', 's3cret', THERE)).rejects.toEqual(tooMany);
  });

  it('has the limit of user and network there, as every client of that network has', async () => {
    const { guess, login } = guarded(options);
    await login('joe', 's3cret');
    for (let n = 0; n < 3; n += 1) expect(await guess('joe')).toEqual(refused);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
  });

  it('has no known network from failed logins', async () => {
    const { guess, login } = guarded(options);
    for (let n = 0; n < 5; n += 1) await guess('joe', mindOf({ address: `10.0.0.${n}` }));
    await expect(login('joe', 's3cret', mindOf({ address: '10.0.0.1' }))).rejects.toEqual(tooMany);
  });
});

describe('credentials that cannot be guessed', () => {
  it('pass a throttle that denies every other login', async () => {
    const counts = new InMemoryFailureCounts();
    const checker = withThrottle(CascadingChecker.of(new AnonymousChecker(), new TrustedLoginChecker()), {
      network: { failures: 1, window: MINUTE },
      counts,
    });
    counts.add(`network:${HERE.remote.address}`, MINUTE);
    expect(await checker.requestAvatarId(new Anonymous(), HERE)).toBe(ANONYMOUS);
    expect(await checker.requestAvatarId(new TrustedLogin('joe'), HERE)).toBe('joe');
  });
});
