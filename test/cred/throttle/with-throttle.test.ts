import {
  ANONYMOUS,
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  Credentials,
  type FailureCounts,
  InMemoryFailureCounts,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  type Mind,
  PasswordProof,
  Portal,
  type ProofState,
  TemporaryFailure,
  type ThrottleOptions,
  TrustedLogin,
  TrustedLoginChecker,
  UnauthorizedLogin,
  UsernamePassword,
  withThrottle,
} from '@postern/cred';
import { FakeClock, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../support.ts';

const HERE = mindOf({ address: '192.0.2.1' });
const THERE = mindOf({ address: '198.51.100.7' });
const MINUTE = 60_000;

/** Limits that are reached soon, each one alone. */
const limits = {
  userAndNetwork: { failures: 3, window: MINUTE },
  network: { failures: 1000, window: MINUTE },
  site: { failures: 1000, window: MINUTE },
  user: { failures: 1000, window: MINUTE },
} satisfies ThrottleOptions;

/** Users joe and ann with a guard, that counts how often they were looked up. */
function guarded(options: ThrottleOptions = limits) {
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 's3cret' });
  const counted = {
    asked: 0,
    credentialInterfaces: users.credentialInterfaces,
    requestAvatarId(credentials: PasswordProof) {
      counted.asked += 1;
      return users.requestAvatarId(credentials);
    },
  } satisfies Checker<PasswordProof> & { asked: number };
  const checker = withThrottle(counted, options);
  let guesses = 0;
  return {
    counted,
    checker,
    login: async (username: string, password: string, mind = HERE): Promise<AvatarId> =>
      checker.requestAvatarId(new UsernamePassword(username, password), mind),
    /** Guesses another wrong password each time. */
    guess: async (username: string, mind = HERE): Promise<unknown> => {
      guesses += 1;
      const credentials = new UsernamePassword(username, `guess ${guesses}`);
      return Promise.resolve(checker.requestAvatarId(credentials, mind)).catch((error: unknown) => error);
    },
  };
}

const tooMany = expect.objectContaining({ name: 'LoginDenied', reason: 'too-many' });
const refused = expect.objectContaining({ name: 'UnauthorizedLogin' });

describe('a throttle', () => {
  it('leaves right logins alone', async () => {
    const { login, counted } = guarded();
    for (let n = 0; n < 10; n += 1) expect(await login('joe', 's3cret')).toBe('joe');
    expect(counted.asked).toBe(10);
  });

  it('judges what its checker judges', () => {
    expect(guarded().checker.credentialInterfaces).toEqual([PasswordProof]);
  });

  it('asks nobody any more after too many failures, not even about the right password', async () => {
    const { guess, login, counted } = guarded();
    for (let n = 0; n < 3; n += 1) expect(await guess('joe')).toEqual(refused);
    expect(await guess('joe')).toEqual(tooMany);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    expect(counted.asked).toBe(3);
  });

  it('says after how many milliseconds the client may try again, if the counts tell', async () => {
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

  it('opens again when the window has passed, counted from the first failure', async () => {
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

  it('is not lengthened by what it turned away', async () => {
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
  it('by user and network: neither another user nor another network is turned away', async () => {
    const { guess, login } = guarded();
    for (let n = 0; n < 3; n += 1) await guess('joe');
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    expect(await login('ann', 's3cret')).toBe('ann');
    expect(await login('joe', 's3cret', THERE)).toBe('joe');
  });

  it('by network, whoever is tried', async () => {
    const { guess, login } = guarded({ ...limits, network: { failures: 5, window: MINUTE } });
    for (let n = 0; n < 5; n += 1) expect(await guess(`user${n}`)).toEqual(refused);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
    expect(await login('joe', 's3cret', THERE)).toBe('joe');
  });

  it('by user, from wherever', async () => {
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
  ])('for one user, however a database lets the name be written: %s', async (...names) => {
    const { guess } = guarded();
    for (const name of names.slice(0, 3)) expect(await guess(name)).toEqual(refused);
    expect(await guess(names[3] as string)).toEqual(tooMany);
  });

  it('of one /48 together, from whichever of its networks', async () => {
    const { guess, login } = guarded({ ...limits, site: { failures: 5, window: MINUTE } });
    const from = (address: string): Mind => mindOf({ family: 'IPv6', address });
    for (let n = 0; n < 5; n += 1) expect(await guess(`user${n}`, from(`2001:db8:1:${n}::1`))).toEqual(refused);
    await expect(login('joe', 's3cret', from('2001:db8:1:ffff::1'))).rejects.toEqual(tooMany);
    expect(await login('joe', 's3cret', from('2001:db8:2::1'))).toBe('joe');
    expect(await login('joe', 's3cret', from('::ffff:192.0.2.1'))).toBe('joe');
  });

  it('of one /64 together, and of IPv4 in IPv6’s clothes as IPv4', async () => {
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

  it('not by network on UNIX sockets and from trusted peers, where many users come through one', async () => {
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

  it('by user from trusted peers for good: a success forgives nothing that counts for more than one network', async () => {
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

  it('for nobody who comes without a name and by a UNIX socket', async () => {
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
  ])('that would let everybody or nobody in is an error: %j', (options) => {
    expect(() => guarded(options)).toThrow(RangeError);
  });

  it('may be none', async () => {
    const none = { failures: Number.POSITIVE_INFINITY, window: MINUTE };
    const { guess } = guarded({ userAndNetwork: none, network: none, site: none, user: none });
    for (let n = 0; n < 200; n += 1) expect(await guess('joe')).toEqual(refused);
  });

  it('that is undefined is the default', async () => {
    const { guess } = guarded({ userAndNetwork: undefined } as never);
    for (let n = 0; n < 10; n += 1) expect(await guess('joe')).toEqual(refused);
    expect(await guess('joe')).toEqual(tooMany);
  });
});

describe('a client that has left', () => {
  it('makes nobody be asked', async () => {
    const { login, counted } = guarded();
    const gone = mindOf({}, AbortSignal.abort());
    await expect(login('joe', 's3cret', gone)).rejects.toBeInstanceOf(TemporaryFailure);
    expect(counted.asked).toBe(0);
  });
});

describe('a success', () => {
  it('writes nothing to the store where there was no failure', async () => {
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

  it('forgets the failures of that user from that network', async () => {
    const { guess, login } = guarded();
    for (let round = 0; round < 3; round += 1) {
      await guess('joe');
      await guess('joe');
      expect(await login('joe', 's3cret')).toBe('joe');
    }
  });

  it('forgets nothing else: an account of one’s own buys no guesses at others', async () => {
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

describe('what does not count', () => {
  const answering = (answer: () => AvatarId | Promise<AvatarId>) =>
    withThrottle<UsernamePassword>({ credentialInterfaces: [UsernamePassword], requestAvatarId: answer }, limits);

  it.each([
    ['trouble', new Error('down'), TemporaryFailure],
    ['a TemporaryFailure', new TemporaryFailure('down'), TemporaryFailure],
    ['a denial', new LoginDenied('disabled'), LoginDenied],
  ])('%s', async (_what, thrown, as) => {
    class Avatar {}
    const portal = new Portal(new AvatarRealm().provide(Avatar, () => new Avatar())).register(
      answering(() => Promise.reject(thrown)),
    );
    for (let n = 0; n < 10; n += 1) {
      const error = await portal
        .login(new UsernamePassword('joe', String(n)), HERE, Avatar)
        .catch((rejected) => rejected);
      expect(error).toBeInstanceOf(as);
      expect(error).not.toEqual(tooMany);
    }
  });

  it('the same wrong password again: a forgotten client does not lock its user out', async () => {
    const { login } = guarded();
    for (let n = 0; n < 10; n += 1) await expect(login('joe', 'last year’s')).rejects.toEqual(refused);
    expect(await login('joe', 's3cret')).toBe('joe');
  });

  it('unless it is for another user, from another network, or after the window', async () => {
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

  it('unless so many others came in between that it was forgotten: what is remembered has a bound', async () => {
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

  it('but a proof that hides the password counts every time', async () => {
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

  it('and no decision is a refusal', async () => {
    const undecided = answering(() => undefined as never);
    const ask = async (n: number) =>
      Promise.resolve(undecided.requestAvatarId(new UsernamePassword('joe', String(n)), HERE)).catch(
        (error: unknown) => error,
      );
    expect([await ask(1), await ask(2), await ask(3), await ask(4)]).toEqual([refused, refused, refused, tooMany]);
  });
});

describe('logins at once', () => {
  /** A checker that lets the test say when each login is judged. */
  function slow(options: ThrottleOptions) {
    const judging: PromiseWithResolvers<AvatarId>[] = [];
    const checker = withThrottle<UsernamePassword>(
      {
        credentialInterfaces: [UsernamePassword],
        requestAvatarId() {
          const verdict = Promise.withResolvers<AvatarId>();
          judging.push(verdict);
          return verdict.promise;
        },
      },
      options,
    );
    let guesses = 0;
    return {
      judging,
      guess: async (mind = HERE, username = 'joe'): Promise<unknown> => {
        guesses += 1;
        const credentials = new UsernamePassword(username, `guess ${guesses}`);
        return Promise.resolve(checker.requestAvatarId(credentials, mind)).catch((error: unknown) => error);
      },
    };
  }
  const four = { ...limits, userAndNetwork: { failures: 8, window: MINUTE } };

  it('do not get more guesses than one after the other, but for those that were under way', async () => {
    const { judging, guess } = slow(four);
    const answers = Array.from({ length: 100 }, () => guess());
    for (let judged = 0; judged < judging.length || judged === 0; ) {
      await settle();
      expect(judging.length - judged).toBeLessThanOrEqual(2);
      for (; judged < judging.length; judged += 1) judging[judged]?.reject(new UnauthorizedLogin());
      await settle();
    }
    const answered = await Promise.all(answers);
    expect(judging.length).toBeLessThanOrEqual(9);
    expect(answered.filter((error) => error instanceof LoginDenied)).toHaveLength(100 - judging.length);
  });

  it('all get their turn if they are right, in the order they came', async () => {
    const { judging, guess } = slow(four);
    const order: number[] = [];
    const answers = Array.from({ length: 10 }, async (_, n) => {
      const answer = await guess();
      order.push(n);
      return answer;
    });
    for (let judged = 0; judged < 10; judged += 1) {
      await settle();
      judging[judged]?.resolve('joe');
    }
    expect(await Promise.all(answers)).toEqual(Array(10).fill('joe'));
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('of others do not wait', async () => {
    const { judging, guess } = slow(four);
    void guess();
    void guess();
    void guess();
    void guess(THERE);
    void guess(HERE, 'ann');
    await settle();
    expect(judging).toHaveLength(4);
  });

  it('do not wait for longer than the client does', async () => {
    const connection = new AbortController();
    const { judging, guess } = slow(four);
    const first = [guess(), guess()];
    const gone = guess(mindOf({}, connection.signal));
    const patient = guess();
    await settle();
    connection.abort();
    expect(await gone).toBeInstanceOf(TemporaryFailure);
    judging[0]?.resolve('joe');
    await settle();
    expect(judging).toHaveLength(3);
    judging[1]?.resolve('joe');
    judging[2]?.resolve('joe');
    expect(await Promise.all([...first, patient])).toEqual(['joe', 'joe', 'joe']);
  });

  it('are not kept from theirs by one that hangs after its client has left', async () => {
    const connection = new AbortController();
    const { judging, guess } = slow(four);
    const leaving = mindOf({}, connection.signal);
    void guess(leaving);
    void guess(leaving);
    const next = guess();
    await settle();
    expect(judging).toHaveLength(2);
    connection.abort();
    await settle();
    expect(judging).toHaveLength(3);
    judging[2]?.resolve('joe');
    expect(await next).toBe('joe');
  });

  it('do not queue without end', async () => {
    const { judging, guess } = slow(four);
    const answers = Array.from({ length: 300 }, () => guess());
    await settle();
    const turnedAway = await Promise.race([answers[299], settle()]);
    expect(turnedAway).toEqual(tooMany);
    expect(judging).toHaveLength(2);
  });

  it('can be allowed more by name', async () => {
    const { judging, guess } = slow({ ...limits, userAndNetwork: { failures: 8, window: MINUTE, atOnce: 5 } });
    for (let n = 0; n < 10; n += 1) void guess();
    await settle();
    expect(judging).toHaveLength(5);
  });
});

describe('the store of failures', () => {
  /** As a client of a store on another machine is: every answer is a promise. */
  class RemoteCounts implements FailureCounts {
    readonly keys = new Set<string>();
    readonly #counts = new InMemoryFailureCounts();
    async get(key: string): Promise<number> {
      this.keys.add(key);
      return this.#counts.get(key);
    }
    async add(key: string, window: number): Promise<void> {
      this.#counts.add(key, window);
    }
    async reset(key: string): Promise<void> {
      this.#counts.reset(key);
    }
  }

  it('may be elsewhere, and shared by several throttles', async () => {
    const counts = new RemoteCounts();
    const [one, other] = [guarded({ ...limits, counts }), guarded({ ...limits, counts })];
    for (const { guess } of [one, other, one]) expect(await guess('joe')).toEqual(refused);
    expect(await other.guess('joe')).toEqual(tooMany);
  });

  it('sees no user names, which may be passwords in the wrong field, and no passwords', async () => {
    const counts = new RemoteCounts();
    const { login } = guarded({ ...limits, counts });
    await login('correct horse', 'battery staple').catch(() => {});
    expect(counts.keys.size).toBe(3);
    for (const key of counts.keys) expect(key).not.toMatch(/correct|horse|battery|staple/);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:ff9b:1::c000:201', '64:ff9b:1:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8:0000:0000:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ])('knows %s by the network %s', async (address, network) => {
    const counts = new RemoteCounts();
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    await guarded({ counts }).login('joe', 's3cret', mindOf({ family, address }));
    expect([...counts.keys].find((key) => key.startsWith('network:'))).toBe(`network:${network}`);
  });

  it.each(['get', 'add', 'reset'] as const)(
    'that is down in %s fails the login for now, and gives no verdict',
    async (method) => {
      const counts = new RemoteCounts();
      const { checker, guess } = guarded({ ...limits, counts });
      await guess('joe');
      Object.assign(counts, { [method]: () => Promise.reject(new Error('connection refused')) });
      class Avatar {}
      const portal = new Portal(new AvatarRealm().provide(Avatar, () => new Avatar())).register(checker);
      const password = method === 'add' ? 'wrong' : 's3cret';
      const login = portal.login(new UsernamePassword('joe', password), HERE, Avatar);
      await expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    },
  );
});

describe('live credentials', () => {
  /** The client's proof is what `answer` resolves to; a rejection breaks the exchange off. */
  class Live extends Credentials {
    readonly username: string;
    readonly answer = Promise.withResolvers<boolean>();
    #proofState: ProofState = 'unasked';
    #heard: Promise<boolean> | undefined;
    constructor(username = 'joe') {
      super();
      this.username = username;
    }
    override get proofState(): ProofState {
      return this.#proofState;
    }
    verify(): Promise<boolean> {
      this.#proofState = 'asked';
      this.#heard ??= this.answer.promise.then(async (right) => {
        this.#proofState = 'arrived';
        await this.proofArrived();
        return right;
      });
      return this.#heard;
    }
    override async conclude(): Promise<void> {
      await this.verify();
    }
  }
  const store: Checker<Live> = {
    credentialInterfaces: [Live],
    async requestAvatarId(credentials) {
      if (credentials.username === 'nobody' || !(await credentials.verify())) throw new UnauthorizedLogin();
      return credentials.username;
    },
  };
  const begin = (checker: Checker<Live>, username = 'joe', mind = HERE) => {
    const credentials = new Live(username);
    const outcome = Promise.resolve(checker.requestAvatarId(credentials, mind)).catch((error: unknown) => error);
    return { answer: credentials.answer, outcome, credentials };
  };
  const finish = (checker: Checker<Live>, right: boolean, username = 'joe', mind = HERE) => {
    const { answer, outcome } = begin(checker, username, mind);
    answer.resolve(right);
    return outcome;
  };
  const breakOff = (checker: Checker<Live>, username = 'joe', mind = HERE) => {
    const { answer, outcome } = begin(checker, username, mind);
    answer.reject(new Error('cancelled'));
    return outcome;
  };

  it('work through a throttle, in a cascade as well, and their failures count', async () => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
    const checker = withThrottle(CascadingChecker.of(users, store), limits) as Checker<Live>;
    expect(await finish(checker, true)).toBe('joe');
    for (let n = 0; n < 3; n += 1) expect(await finish(checker, false)).toEqual(refused);
    expect(await finish(checker, true)).toEqual(tooMany);
  });

  it('hold no place before the proof is there, however many a stranger opens', async () => {
    const checker = withThrottle(store);
    const silent = Array.from({ length: 300 }, () => begin(checker));
    const elsewhere = Array.from({ length: 300 }, (_, n) => begin(checker, 'joe', mindOf({ address: `10.0.0.${n}` })));
    await settle();
    expect(await finish(checker, true)).toBe('joe');
    expect(await finish(checker, true, 'joe', THERE)).toBe('joe');
    for (const { answer, outcome } of [...silent, ...elsewhere]) {
      answer.reject(new Error('gone'));
      await outcome;
    }
  });

  it('get no more guesses at once than one after the other', async () => {
    const checker = withThrottle(store, limits);
    const guesses = Array.from({ length: 20 }, () => begin(checker));
    await settle();
    for (const { answer } of guesses) answer.resolve(false);
    const outcomes = await Promise.all(guesses.map(({ outcome }) => outcome));
    expect(outcomes.filter((outcome) => outcome instanceof UnauthorizedLogin)).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome instanceof LoginDenied)).toHaveLength(17);
  });

  it.each(['joe', 'nobody'])('that %s breaks off count for the network, and never for the user', async (username) => {
    const checker = withThrottle(store, { ...limits, network: { failures: 4, window: MINUTE } });
    for (let n = 0; n < 4; n += 1) expect(await breakOff(checker, username)).toEqual(new Error('cancelled'));
    expect(await finish(checker, true)).toEqual(tooMany);
    expect(await finish(checker, true, 'joe', THERE)).toBe('joe');
  });

  it('that are turned away are asked for nothing', async () => {
    const checker = withThrottle(store, { ...limits, network: { failures: 1, window: MINUTE } });
    await breakOff(checker);
    const { outcome, credentials } = begin(checker);
    expect(await outcome).toEqual(tooMany);
    expect(credentials.proofState).toBe('unasked');
  });

  it('of a store that fails before the challenge count for nobody', async () => {
    const broken: Checker<Live> = {
      credentialInterfaces: [Live],
      requestAvatarId: () => Promise.reject(new TemporaryFailure('the store is down')),
    };
    const counts = new InMemoryFailureCounts();
    await begin(withThrottle(broken, { ...limits, counts })).outcome;
    expect(counts.size).toBe(0);
  });
});

describe('the owner of an account', () => {
  const options = { ...limits, user: { failures: 5, window: MINUTE, atOnce: 1 } };

  it('comes in from where the owner has been before, whatever strangers guess', async () => {
    const { guess, login } = guarded(options);
    await login('joe', 's3cret');
    for (let n = 0; n < 5; n += 1) expect(await guess('joe', mindOf({ address: `10.0.0.${n}` }))).toEqual(refused);
    expect(await guess('joe', mindOf({ address: '10.0.1.0' }))).toEqual(tooMany);
    expect(await login('joe', 's3cret')).toBe('joe');
    await expect(login('joe', 's3cret', THERE)).rejects.toEqual(tooMany);
  });

  it('has the limits of the user and network there, as anybody on that network has', async () => {
    const { guess, login } = guarded(options);
    await login('joe', 's3cret');
    for (let n = 0; n < 3; n += 1) expect(await guess('joe')).toEqual(refused);
    await expect(login('joe', 's3cret')).rejects.toEqual(tooMany);
  });

  it('is not known for where somebody only guessed', async () => {
    const { guess, login } = guarded(options);
    for (let n = 0; n < 5; n += 1) await guess('joe', mindOf({ address: `10.0.0.${n}` }));
    await expect(login('joe', 's3cret', mindOf({ address: '10.0.0.1' }))).rejects.toEqual(tooMany);
  });
});

describe('what cannot be guessed', () => {
  it('passes a throttle that turns everybody else away', async () => {
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
