import {
  AnonymousChecker,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  PasswordProof,
  type Realm,
  UnauthorizedLogin,
  UsernamePassword,
  withDeadline,
} from '@postern/cred';
import { anonymous, type Challenger, cramMd5, login, NO_BYTES, plain, scram } from '@postern/sasl';
import {
  anonymousResponder,
  cramMd5Responder,
  loginResponder,
  plainResponder,
  type Responder,
  scramResponder,
} from '@postern/sasl/client';
import {
  type ContractCase,
  checkerContract,
  FakeClock,
  failureCountsContract,
  type MechanismContract,
  mechanismContract,
  memoryPipe,
  portalFor,
  realmContract,
  transportContract,
} from '@postern/testing';
import { type FailureCounts, InMemoryFailureCounts } from '@postern/throttle';
import { describe, expect, it } from 'vitest';
import { testContract } from '../support/contract.ts';

const users = { joe: 's3cret', ann: 'pa55word' };
const joe = { username: 'joe', password: 's3cret' };
const ann = { username: 'ann', password: 'pa55word' };
const database = () => new InMemoryUsernamePasswordDatabaseDontUse(users);

describe.each([
  ['InMemoryUsernamePasswordDatabaseDontUse', database],
  ['withDeadline', () => withDeadline(database(), 1_000)],
  [
    'CascadingChecker',
    () =>
      CascadingChecker.of(
        new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' }),
        new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'pa55word' }),
      ),
  ],
] as const)('the checker contract holds for %s', (_title, make) => {
  testContract(checkerContract({ make, users: [joe, ann], judgesPasswordProof: true }));
});

describe('the checker contract holds for a checker of passwords alone', () => {
  const make = () => checker([UsernamePassword], ({ username, password }) => verify(username, password));
  testContract(checkerContract({ make, users: [joe, ann] }), [
    'accepts and refuses live credentials by their own verdict',
    'leaves the live credentials of an unknown user to the next checker',
    'does not accept live credentials whose exchange breaks',
  ]);
});

const portal = portalFor(users).register(new AnonymousChecker());

describe.each<readonly [string, MechanismContract]>([
  ['PLAIN', mechanism(plain(), (user) => plainResponder(user))],
  ['LOGIN', mechanism(login(), (user) => loginResponder(user))],
  ['CRAM-MD5', mechanism(cramMd5({ hostname: 'mx.example.com' }), (user) => cramMd5Responder(user))],
  [
    'SCRAM-SHA-256',
    mechanism(scram({ hash: 'sha256', iterations: 4096 }), (user) => scramResponder({ ...user, hash: 'sha256' })),
  ],
  ['ANONYMOUS', { challenger: anonymous(), responder: () => anonymousResponder(), portal, provesNothing: true }],
])('the mechanism contract holds for %s', (_title, contract) => {
  const isServerFirst = contract.challenger.serverFirst ?? false;
  testContract(mechanismContract(contract), [
    isServerFirst ? 'logs a user in without an initial response' : 'refuses an initial response',
    ...(contract.refused === undefined
      ? ['reports a refusal of the portal on both sides', 'exchanges the same messages for each reason of a refusal']
      : []),
  ]);
});

function mechanism(challenger: Challenger, respond: (user: typeof joe) => Responder): MechanismContract {
  return {
    challenger,
    responder: () => respond(joe),
    refused: [() => respond({ ...joe, password: 'wrong' }), () => respond({ ...joe, username: 'eve' })],
    portal,
  };
}

class Mailbox {}

const mailboxRealm = () =>
  new AvatarRealm().provide(Mailbox, (avatarId) => {
    if (avatarId === 'eve') throw new LoginDenied('disabled');
    return new Mailbox();
  });

describe('the realm contract holds for AvatarRealm', () => {
  testContract(realmContract({ make: mailboxRealm, avatarInterface: Mailbox, user: 'joe', deniedUser: 'eve' }));
});

const clock = new FakeClock();

describe('the failureCounts contract holds for InMemoryFailureCounts', () => {
  const make = () => new InMemoryFailureCounts({ clock });
  testContract(
    failureCountsContract({ make, advance: (milliseconds) => clock.advance(milliseconds), hasRemaining: true }),
  );
});

describe('the contracts skip', () => {
  it.each([
    ['live credentials', checkerContract({ make: database, users: [joe, ann] }), 3],
    ['refusals', mechanismContract({ challenger: plain(), responder: () => plainResponder(joe), portal }), 3],
    ['a denied user', realmContract({ make: mailboxRealm, avatarInterface: Mailbox, user: 'joe' }), 1],
    ['windows', failureCountsContract({ make: () => new InMemoryFailureCounts() }), 4],
    ['a reset and STARTTLS', transportContract({ make: () => memoryPipe() }), 3],
  ])('the rules about %s without their input', async (_title, cases, count) => {
    const skipped = cases.filter((rule) => rule.skipped !== undefined);
    expect(skipped).toHaveLength(count);
    for (const { run, skipped: reason } of skipped) await expect(run()).rejects.toThrow(reason as string);
  });
});

describe('the contracts find', () => {
  it.each<readonly [string, Checker<UsernamePassword>, string]>([
    ['a checker that accepts every user', judging(({ username }) => username), 'refuses a wrong password'],
    [
      'a checker that refuses every user',
      judging(() => Promise.reject(new UnauthorizedLogin())),
      'accepts each user with the right password',
    ],
    [
      'a checker that reveals which users exist',
      judging(({ username, password }) => {
        if (!(username in users)) throw new UnauthorizedLogin('no such user');
        return verify(username, password);
      }),
      'refuses a wrong password and an unknown user with the same error',
    ],
    [
      'a checker with the password in its error',
      judging(({ username, password }) => {
        if (username === 'joe' && password !== joe.password) throw new UnauthorizedLogin(`not ${joe.password}`);
        return verify(username, password);
      }),
      'has no secret in the error of a refusal',
    ],
    [
      'a checker with its users in a plain object',
      judging(({ username, password }) => {
        const found = (users as Record<string, string>)[username] as string;
        if (found?.normalize() !== password) throw new UnauthorizedLogin();
        return username;
      }),
      'refuses names and passwords with a special meaning in SQL, LDAP, paths and objects',
    ],
  ])('%s', async (_title, broken, rule) => {
    expect(await brokenRules(checkerContract({ make: () => broken, users: [joe, ann] }))).toContain(rule);
  });

  it('a checker that consumes the live credentials of an unknown user', async () => {
    const broken: Checker<PasswordProof> = {
      credentialInterfaces: [PasswordProof],
      async requestAvatarId(credentials) {
        const right = await credentials.checkPassword(users[credentials.username as 'joe'] ?? '');
        if (!right || !Object.hasOwn(users, credentials.username)) throw new UnauthorizedLogin();
        return credentials.username;
      },
    };
    const cases = checkerContract({ make: () => broken, users: [joe, ann], judgesPasswordProof: true });
    expect(await brokenRules(cases)).toContain('leaves the live credentials of an unknown user to the next checker');
  });

  it('a checker of live credentials whose contract does not say so', async () => {
    expect(await brokenRules(checkerContract({ make: database, users: [joe, ann] }))).toEqual([
      'names the credentials that it judges',
    ]);
  });

  it.each<readonly [string, Realm, string]>([
    [
      'a realm that returns the avatar itself',
      { requestAvatar: () => new Mailbox() as never },
      'returns an avatar of the requested class',
    ],
    [
      'a realm that ignores the interfaces',
      { requestAvatar: () => ({ avatar: new Mailbox() as never }) },
      'throws NoAvatar if it serves none of the interfaces',
    ],
    [
      'a realm that looks at the first interface alone',
      {
        requestAvatar: (avatarId, mind, [first]) => mailboxRealm().requestAvatar(avatarId, mind, first ? [first] : []),
      },
      'skips requested interfaces that it does not serve',
    ],
    [
      'a realm with a logout that fails',
      {
        requestAvatar: async (...request) => ({
          ...(await mailboxRealm().requestAvatar(...request)),
          logout: (reason) => {
            if (reason === 'shutdown') throw new Error('cannot save');
          },
        }),
      },
      'logs an avatar out for each reason',
    ],
    [
      'a realm that denies the interface it serves',
      {
        requestAvatar: (...request) => mailboxRealm().requestAvatar(...request),
        provides: () => false,
      },
      'does not deny an interface that it serves',
    ],
  ])('%s', async (_title, broken, rule) => {
    const cases = realmContract({ make: () => broken, avatarInterface: Mailbox, user: 'joe' });
    expect(await brokenRules(cases)).toContain(rule);
  });

  it.each<readonly [string, (counts: InMemoryFailureCounts) => FailureCounts, string]>([
    [
      'a store that reads and writes in two steps',
      (counts) => ({
        get: (key) => counts.get(key),
        reset: (key) => counts.reset(key),
        async add(key, window) {
          const failures = counts.get(key);
          await Promise.resolve();
          counts.reset(key);
          for (let n = 0; n <= failures; n++) counts.add(key, window);
        },
      }),
      'counts failures that are added at the same time',
    ],
    [
      'a store that folds the case of keys',
      (counts) => ({
        get: (key) => counts.get(key.toLowerCase()),
        reset: (key) => counts.reset(key.toLowerCase()),
        add: (key, window) => counts.add(key.toLowerCase(), window),
      }),
      'keeps keys apart',
    ],
    [
      'a store whose window slides',
      (counts) => ({
        get: (key) => counts.get(key),
        reset: (key) => counts.reset(key),
        add(key, window) {
          const failures = counts.get(key);
          counts.reset(key);
          for (let n = 0; n <= failures; n++) counts.add(key, window);
        },
      }),
      'starts the window with the first failure, and no later failure extends it',
    ],
  ])('%s', async (_title, breaking, rule) => {
    const make = () => breaking(new InMemoryFailureCounts({ clock }));
    const cases = failureCountsContract({ make, advance: (milliseconds) => clock.advance(milliseconds) });
    expect(await brokenRules(cases)).toContain(rule);
  });

  it('a mechanism that accepts any first message', async () => {
    const credulous: Challenger<UsernamePassword> = {
      ...plain(),
      async challenge(ask, initialResponse) {
        await (initialResponse ?? ask(NO_BYTES));
        return new UsernamePassword('joe', 's3cret');
      },
    };
    const contract = mechanism(credulous, (user) => plainResponder(user));
    expect(await brokenRules(mechanismContract(contract))).toEqual(
      expect.arrayContaining(['reports a refusal of the portal on both sides']),
    );
  });

  it('a transport that loses bytes written before the end', async () => {
    const make = () => {
      const { client, server } = memoryPipe();
      client.end = () => client.reset();
      return { client, server };
    };
    expect(await brokenRules(transportContract({ make }))).toContain('delivers all written bytes before the end');
  });
});

function judging(requestAvatarId: Checker<UsernamePassword>['requestAvatarId']): Checker<UsernamePassword> {
  return { credentialInterfaces: [UsernamePassword], requestAvatarId };
}

function verify(username: string, password: string): string {
  if (!Object.hasOwn(users, username) || users[username as 'joe'] !== password) throw new UnauthorizedLogin();
  return username;
}

async function brokenRules(cases: readonly ContractCase[]): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, run, skipped } of cases) {
    if (skipped === undefined) await run().catch(() => void broken.push(name));
  }
  return broken;
}
