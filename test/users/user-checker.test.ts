import {
  type AvatarId,
  CascadingChecker,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Interface,
  LoginDenied,
  type PasswordProof,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { ScramSecret, ScramSha256Credentials } from '@postern/sasl';
import { checkerContract, testMind } from '@postern/testing';
import { hashPassword, InMemoryUserStore, UserChecker, type UserRecord } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { testContract } from '../support/contract.ts';
import { CHEAP_POLICY, checkerOf, hashed, NOW } from './checker-support.ts';

const joe: UserRecord = { name: 'joe', secrets: [hashed('s3cret')] };
const ann: UserRecord = { name: 'ann', secrets: [hashed('pa55word')] };
const pencil = (await ScramSecret.derive('pencil', { hash: 'sha256', iterations: 4096 })).format('rfc5803');

function login(checker: UserChecker, username: string, password: string, mind = testMind()): Promise<AvatarId> {
  return checker.requestAvatarId(new UsernamePassword(username, password), mind);
}

function refusal(login: Promise<AvatarId>): Promise<unknown> {
  return login.catch((error: unknown) => error);
}

describe('a checker of hashes keeps the contract of checkers', () => {
  const contract = checkerContract({
    make: () => checkerOf([joe, ann]).checker,
    users: [
      { username: 'joe', password: 's3cret' },
      { username: 'ann', password: 'pa55word' },
    ],
  });
  testContract(contract, [
    'accepts and refuses live credentials by their own verdict',
    'leaves the live credentials of an unknown user to the next checker',
    'does not accept live credentials whose exchange breaks',
  ]);
});

describe('a checker of passwords in clear text keeps the contract of checkers', () => {
  const users = [
    { name: 'joe', secrets: ['{PLAIN}s3cret'] },
    { name: 'ann', secrets: ['{PLAIN}pa55word'] },
  ];
  const contract = checkerContract({
    make: () => new UserChecker(new InMemoryUserStore(users), { policy: CHEAP_POLICY }),
    users: [
      { username: 'joe', password: 's3cret' },
      { username: 'ann', password: 'pa55word' },
    ],
    judgesPasswordProof: true,
  });
  testContract(contract);
});

describe('UserChecker', () => {
  it('needs one function: the query by name', async () => {
    const asked: string[] = [];
    const checker = new UserChecker({
      find(name) {
        asked.push(name);
        return name === 'joe' ? joe : undefined;
      },
    });
    expect(checker.credentialInterfaces).toEqual([UsernamePassword]);
    expect(await login(checker, 'JOE', 's3cret')).toBe('joe');
    expect(await checker.hasUser('Joe')).toBe(true);
    expect(await checker.hasUser('ann')).toBe(false);
    expect(asked).toEqual(['joe', 'joe', 'ann']);
    await checker[Symbol.asyncDispose]();
  });

  it('returns the name as it is stored', async () => {
    const { checker } = checkerOf([{ ...joe, name: 'Joe.Smith' }]);
    expect(await login(checker, 'JOE.SMITH', 's3cret')).toBe('Joe.Smith');
  });

  it('asks no store for a name that no user can have', async () => {
    const checker = new UserChecker({ find: () => expect.fail('asked') }, { policy: CHEAP_POLICY });
    expect(await refusal(login(checker, 'jo\u0007e', 's3cret'))).toBeInstanceOf(UnauthorizedLogin);
    expect(await checker.hasUser('')).toBe(false);
    await checker[Symbol.asyncDispose]();
  });

  it('has the credential interfaces of its store, now and later', () => {
    const store = {
      find: () => undefined,
      credentialInterfaces: [UsernamePassword] as readonly Interface<PasswordProof>[],
    };
    const checker = new UserChecker(store);
    expect(checker.credentialInterfaces).toBe(store.credentialInterfaces);
    store.credentialInterfaces = [UsernamePassword, ScramSha256Credentials];
    expect(checker.credentialInterfaces).toBe(store.credentialInterfaces);
  });

  it('accepts a password as SASLprep makes it and as it was sent', async () => {
    // A server without SASLprep has hashed the second.
    const { checker } = checkerOf([
      { name: 'joe', secrets: [hashed('IX')] },
      { name: 'ann', secrets: [hashed('\u2168')] },
    ]);
    const typed = (name: string) => new UsernamePassword(name, '\u2168', undefined, 'IX');
    expect(await checker.requestAvatarId(typed('joe'), testMind())).toBe('joe');
    expect(await checker.requestAvatarId(typed('ann'), testMind())).toBe('ann');
  });

  it('compares with each hash in order, and with a SCRAM secret only without a hash', async () => {
    const { checker, queue } = checkerOf([{ name: 'joe', secrets: [hashed('old'), hashed('s3cret'), pencil] }]);
    expect(await login(checker, 'joe', 's3cret')).toBe('joe');
    expect(queue.compared).toEqual(['ssha512', 'ssha512']);
    expect(await refusal(login(checker, 'joe', 'pencil'))).toBeInstanceOf(UnauthorizedLogin);
    const scramOnly = checkerOf([{ name: 'joe', secrets: [pencil] }]);
    expect(await login(scramOnly.checker, 'joe', 'pencil')).toBe('joe');
    expect(await refusal(login(scramOnly.checker, 'joe', 'pencils'))).toBeInstanceOf(UnauthorizedLogin);
  });

  it('refuses a user whose fields are locked or empty like a wrong password', async () => {
    const { checker } = checkerOf([
      { name: 'joe', secrets: ['!', '*0', ''] },
      { name: 'ann', secrets: [] },
    ]);
    for (const name of ['joe', 'ann']) {
      for (const password of ['!', '*0', 's3cret', '']) {
        expect(await refusal(login(checker, name, password))).toEqual(new UnauthorizedLogin());
      }
    }
  });

  it('leaves a user of another database to the next checker of a cascade', async () => {
    const { checker } = checkerOf([joe]);
    const others = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'pa55word' });
    const cascade = CascadingChecker.of(checker, others);
    expect(await cascade.requestAvatarId(new UsernamePassword('ann', 'pa55word'), testMind())).toBe('ann');
  });
});

describe('a closed account', () => {
  const denied: readonly [string, Partial<UserRecord>, LoginDenied['reason']][] = [
    ['a disabled user', { enabled: false }, 'disabled'],
    ['an expired user', { expires: new Date(NOW) }, 'expired'],
    ['a user with an invalid date', { expires: new Date(Number.NaN) }, 'expired'],
    ['a user of other protocols', { scopes: ['imap'] }, 'not-authorized'],
    ['a user of no protocol', { scopes: [] }, 'not-authorized'],
    ['a user that must change the password', { mustChangePassword: true }, 'transition-needed'],
  ];
  it.each(denied)(
    '%s is denied with the right password, and refused with a wrong one',
    async (_user, state, reason) => {
      const checker = new UserChecker({ find: () => ({ ...joe, ...state }) }, { policy: CHEAP_POLICY, now: () => NOW });
      const right = await refusal(login(checker, 'joe', 's3cret'));
      expect(right).toBeInstanceOf(LoginDenied);
      expect(right).toMatchObject({ reason });
      expect(await refusal(login(checker, 'joe', 'wrong'))).toEqual(new UnauthorizedLogin());
      await checker[Symbol.asyncDispose]();
    },
  );

  it('is open until it expires, and in the protocols of its scopes', async () => {
    const { checker } = checkerOf([{ ...joe, expires: new Date(NOW + 1), scopes: ['imap', 'smtp'] }]);
    expect(await login(checker, 'joe', 's3cret')).toBe('joe');
  });

  it('is what a store says with 0, and not what it says with null', async () => {
    const row = { ...joe, enabled: 0, expires: null, scopes: null, totp: null, appPasswords: null };
    const closed = new UserChecker({ find: () => row as never }, { policy: CHEAP_POLICY });
    expect(await refusal(login(closed, 'joe', 's3cret'))).toMatchObject({ reason: 'disabled' });
    const open = new UserChecker({ find: () => ({ ...row, enabled: 1 }) as never }, { policy: CHEAP_POLICY });
    expect(await login(open, 'joe', 's3cret')).toBe('joe');
    await closed[Symbol.asyncDispose]();
    await open[Symbol.asyncDispose]();
  });

  it('exists for its mail', async () => {
    expect(await checkerOf([{ ...joe, enabled: false }]).checker.hasUser('joe')).toBe(true);
  });
});

describe('the work of a refusal', () => {
  it('is the same for an unknown user, a user without a password and a wrong password', async () => {
    const { checker, queue, store } = checkerOf([{ name: 'empty', secrets: [] }]);
    await store.add({ name: 'joe', secrets: await hashPassword('s3cret', { queue, policy: CHEAP_POLICY }) });
    await refusal(login(checker, 'joe', 'wrong'));
    const ofKnown = queue.compared.splice(0);
    expect(ofKnown).toHaveLength(1);
    for (const name of ['nobody', 'empty', 'no\u0007body']) {
      expect(await refusal(login(checker, name, 'wrong'))).toEqual(new UnauthorizedLogin());
      expect(queue.compared.splice(0)).toEqual(ofKnown);
    }
  });

  it('is doubled for everyone by a password whose two forms differ', async () => {
    const { checker, queue } = checkerOf([joe]);
    for (const name of ['joe', 'nobody']) {
      await refusal(checker.requestAvatarId(new UsernamePassword(name, '\u2168', undefined, 'IX'), testMind()));
      expect(queue.compared.splice(0)).toHaveLength(2);
    }
  });

  it.each(['', 'a\0b', 'x'.repeat(4097), '\ud800'])(
    'accepts no text that cannot be a password: %#',
    async (password) => {
      const { checker } = checkerOf([joe]);
      expect(await refusal(login(checker, 'joe', password))).toEqual(new UnauthorizedLogin());
      expect(await refusal(login(checker, 'nobody', password))).toEqual(new UnauthorizedLogin());
    },
  );
});
