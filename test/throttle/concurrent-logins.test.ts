import {
  type AvatarId,
  CascadingChecker,
  type Checker,
  Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  Portal,
  type ProofState,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { FakeClock, settle } from '@postern/testing';
import { InMemoryFailureCounts, type ThrottleOptions, withThrottle } from '@postern/throttle';
import { describe, expect, it } from 'vitest';
import { Mailbox, mailboxes } from '../cred/portal-support.ts';
import { mindOf } from '../cred/support.ts';
import { HERE, limits, MINUTE, refused, THERE, tooMany } from './support.ts';

describe('parallel logins', () => {
  /** Returns a checker whose verdicts wait for the test. */
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

  it('get no more guesses than sequential logins, except for those under way', async () => {
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

  it('all succeed in their order if they are right', async () => {
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

  it('keep their limit after one of them has ended', async () => {
    const { judging, guess } = slow(four);
    void guess();
    void guess();
    await settle();
    judging[0]?.resolve('joe');
    await settle();
    void guess();
    void guess();
    await settle();
    expect(judging).toHaveLength(3);
  });

  it('of other users do not wait', async () => {
    const { judging, guess } = slow(four);
    void guess();
    void guess();
    void guess();
    void guess(THERE);
    void guess(HERE, 'ann');
    await settle();
    expect(judging).toHaveLength(4);
  });

  it('stop waiting when the client disconnects', async () => {
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

  it('continue if a login hangs whose client has disconnected', async () => {
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

  it('have a bounded queue', async () => {
    const { judging, guess } = slow(four);
    const answers = Array.from({ length: 300 }, () => guess());
    await settle();
    const turnedAway = await Promise.race([answers[299], settle()]);
    expect(turnedAway).toEqual(tooMany);
    expect(judging).toHaveLength(2);
  });

  it('have the limit of atOnce', async () => {
    const { judging, guess } = slow({ ...limits, userAndNetwork: { failures: 8, window: MINUTE, atOnce: 5 } });
    for (let n = 0; n < 10; n += 1) void guess();
    await settle();
    expect(judging).toHaveLength(5);
  });
});

describe('live credentials in a throttle', () => {
  /** `answer` resolves with the client's proof. Its rejection breaks the exchange off. */
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

  it('are judged, also in a cascade, and their failures count', async () => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
    const checker = withThrottle(CascadingChecker.of(users, store), limits) as Checker<Live>;
    expect(await finish(checker, true)).toBe('joe');
    for (let n = 0; n < 3; n += 1) expect(await finish(checker, false)).toEqual(refused);
    expect(await finish(checker, true)).toEqual(tooMany);
  });

  it('hold no permit before their proof, however many exchanges a client opens', async () => {
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

  it('get no more parallel guesses than sequential ones', async () => {
    const checker = withThrottle(store, limits);
    const guesses = Array.from({ length: 20 }, () => begin(checker));
    await settle();
    for (const { answer } of guesses) answer.resolve(false);
    const outcomes = await Promise.all(guesses.map(({ outcome }) => outcome));
    expect(outcomes.filter((outcome) => outcome instanceof UnauthorizedLogin)).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome instanceof LoginDenied)).toHaveLength(17);
  });

  it.each(['joe', 'nobody'])('that %s breaks off count for the network and not for the user', async (username) => {
    const checker = withThrottle(store, { ...limits, network: { failures: 4, window: MINUTE } });
    for (let n = 0; n < 4; n += 1) expect(await breakOff(checker, username)).toEqual(new Error('cancelled'));
    expect(await finish(checker, true)).toEqual(tooMany);
    expect(await finish(checker, true, 'joe', THERE)).toBe('joe');
  });

  it('stay unasked if they are denied', async () => {
    const checker = withThrottle(store, { ...limits, network: { failures: 1, window: MINUTE } });
    await breakOff(checker);
    const { outcome, credentials } = begin(checker);
    expect(await outcome).toEqual(tooMany);
    expect(credentials.proofState).toBe('unasked');
  });

  it('are neither judged nor counted if their proof arrives after the timeout of the login', async () => {
    const clock = new FakeClock();
    const counts = new InMemoryFailureCounts({ clock });
    const checker = withThrottle(store, { ...limits, counts, clock });
    const portal = new Portal(mailboxes(), { clock, loginTimeout: 5_000 }).register(checker);
    const credentials = new Live();
    const login = Promise.resolve(portal.login(credentials, HERE, Mailbox));
    const timeout = expect(login).rejects.toEqual(new TemporaryFailure('the login took more than 5000 ms'));
    await settle();
    await clock.advance(5_000);
    await timeout;
    credentials.answer.resolve(false);
    await expect(credentials.verify()).rejects.toEqual(
      new TemporaryFailure('the login ended while it waited for others'),
    );
    await settle();
    expect(counts.size).toBe(0);
  });

  it('count for no user if the store fails before the challenge', async () => {
    const broken: Checker<Live> = {
      credentialInterfaces: [Live],
      requestAvatarId: () => Promise.reject(new TemporaryFailure('the store is down')),
    };
    const counts = new InMemoryFailureCounts();
    await begin(withThrottle(broken, { ...limits, counts })).outcome;
    expect(counts.size).toBe(0);
  });
});
