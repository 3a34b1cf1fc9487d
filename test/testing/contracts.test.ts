import {
  AnonymousChecker,
  CascadingChecker,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  PasswordProof,
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
  type MechanismContract,
  mechanismContract,
  memoryPipe,
  portalFor,
  transportContract,
} from '@postern/testing';
import { describe, expect, it } from 'vitest';

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
  test(checkerContract({ make, users: [joe, ann] }));
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
  test(mechanismContract(contract));
});

function mechanism(challenger: Challenger, respond: (user: typeof joe) => Responder): MechanismContract {
  return {
    challenger,
    responder: () => respond(joe),
    refused: [() => respond({ ...joe, password: 'wrong' }), () => respond({ ...joe, username: 'eve' })],
    portal,
  };
}

function test(cases: readonly ContractCase[]): void {
  for (const { name, run } of cases) it(name, run);
}

describe('the contracts find', () => {
  it.each<readonly [string, Checker<UsernamePassword>, string]>([
    ['a checker that lets everybody in', checker(({ username }) => username), 'refuses a wrong password'],
    [
      'a checker that knows nobody',
      checker(() => Promise.reject(new UnauthorizedLogin())),
      'recognises its users by their passwords',
    ],
    [
      'a checker that tells who exists',
      checker(({ username, password }) => {
        if (!(username in users)) throw new UnauthorizedLogin('no such user');
        return verify(username, password);
      }),
      'says the same to a wrong password and an unknown user',
    ],
    [
      'a checker that tells the password',
      checker(({ username, password }) => {
        if (username === 'joe' && password !== joe.password) throw new UnauthorizedLogin(`not ${joe.password}`);
        return verify(username, password);
      }),
      'tells no secret in its refusal',
    ],
    [
      'a checker that keeps its users in a plain object',
      checker(({ username, password }) => {
        const found = (users as Record<string, string>)[username] as string;
        if (found?.normalize() !== password) throw new UnauthorizedLogin();
        return username;
      }),
      'refuses names and passwords that are something else to somebody else',
    ],
  ])('%s', async (_title, broken, rule) => {
    expect(await brokenRules(checkerContract({ make: () => broken, users: [joe, ann] }))).toContain(rule);
  });

  it('a checker that consumes the live credentials of somebody it does not know', async () => {
    const broken: Checker<PasswordProof> = {
      credentialInterfaces: [PasswordProof],
      async requestAvatarId(credentials) {
        const right = await credentials.checkPassword(users[credentials.username as 'joe'] ?? '');
        if (!right || !Object.hasOwn(users, credentials.username)) throw new UnauthorizedLogin();
        return credentials.username;
      },
    };
    expect(await brokenRules(checkerContract({ make: () => broken, users: [joe, ann] }))).toContain(
      'leaves live credentials alone, for the next checker, if it does not know the user',
    );
  });

  it('a mechanism that believes its first message', async () => {
    const credulous: Challenger<UsernamePassword> = {
      ...plain(),
      async challenge(ask, initialResponse) {
        await (initialResponse ?? ask(NO_BYTES));
        return new UsernamePassword('joe', 's3cret');
      },
    };
    const contract = mechanism(credulous, (user) => plainResponder(user));
    expect(await brokenRules(mechanismContract(contract))).toEqual(
      expect.arrayContaining(['refuses whom the portal refuses, and both sides know it']),
    );
  });

  it('a transport that loses what was written before the end', async () => {
    const cases = transportContract(() => {
      const { client, server } = memoryPipe();
      client.end = () => client.reset();
      return { client, server };
    });
    expect(await brokenRules(cases)).toContain('delivers all that was written before the end, and then undefined');
  });
});

function checker(requestAvatarId: Checker<UsernamePassword>['requestAvatarId']): Checker<UsernamePassword> {
  return { credentialInterfaces: [UsernamePassword], requestAvatarId };
}

function verify(username: string, password: string): string {
  if (!Object.hasOwn(users, username) || users[username as 'joe'] !== password) throw new UnauthorizedLogin();
  return username;
}

async function brokenRules(cases: readonly ContractCase[]): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, run } of cases) await run().catch(() => void broken.push(name));
  return broken;
}
