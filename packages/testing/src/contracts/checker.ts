import assert from 'node:assert/strict';
import {
  type AvatarId,
  type Checker,
  type Credentials,
  LoginError,
  type Mind,
  PasswordProof,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { testMind } from '../test-mind.ts';
import type { ContractCase } from './case.ts';

/** A checker, and what the contract has to know of it. */
export interface CheckerContract<C extends Credentials = UsernamePassword> {
  /** Makes the checker, for every rule anew, or hands out the same one. */
  readonly make: () => Checker<C> | Promise<Checker<C>>;
  /** Two users that it knows, and the avatar id of each if that is not the name. */
  readonly users: readonly [KnownUser, KnownUser];
  /** How a user's name and password become credentials that the checker judges. Default: UsernamePassword. */
  readonly credentials?: (username: string, password: string) => C;
}

/** A user whom the checker knows, with the right password. */
export interface KnownUser {
  readonly username: string;
  readonly password: string;
  readonly avatarId?: AvatarId;
}

/** What every checker of names and passwords has to do. */
export function checkerContract<C extends Credentials = UsernamePassword>(
  contract: CheckerContract<C>,
): readonly ContractCase[] {
  const make =
    contract.credentials ?? ((username, password) => new UsernamePassword(username, password) as Credentials as C);
  return Object.entries(rules(contract.users, make)).map(([name, rule]) => ({
    name,
    run: async () => rule(await contract.make()),
  }));
}

function rules<C extends Credentials>(
  [joe, ann]: readonly [KnownUser, KnownUser],
  make: (username: string, password: string) => C,
): Readonly<Record<string, (checker: Checker<C>) => Promise<void>>> {
  return {
    async 'says which credentials it judges'(checker) {
      const credentials = make(joe.username, joe.password);
      assert.ok(checker.credentialInterfaces.some((judged) => credentials instanceof judged));
    },

    async 'recognises its users by their passwords'(checker) {
      for (const user of [joe, ann]) {
        const avatarId = await ask(checker, make(user.username, user.password));
        assert.equal(avatarId, user.avatarId ?? user.username);
      }
    },

    async 'refuses a wrong password'(checker) {
      for (const wrong of [`${joe.password}x`, joe.password.slice(0, -1), ` ${joe.password}`, ann.password]) {
        await refuses(checker, make(joe.username, wrong));
      }
    },

    async 'refuses an unknown user, with any password'(checker) {
      for (const password of [joe.password, ann.password, '']) {
        await refuses(checker, make('nobody-of-this-name', password));
      }
    },

    async 'refuses an empty name and an empty password'(checker) {
      await refuses(checker, make(joe.username, ''));
      await refuses(checker, make('', joe.password));
      await refuses(checker, make('', ''));
    },

    async 'says the same to a wrong password and an unknown user'(checker) {
      const wrong = await refuses(checker, make(joe.username, `${joe.password}x`));
      const unknown = await refuses(checker, make('nobody-of-this-name', joe.password));
      assert.equal(unknown.message, wrong.message);
      assert.equal(unknown.code, wrong.code);
    },

    async 'tells no secret in its refusal'(checker) {
      const error = await refuses(checker, make(joe.username, `${joe.password}x`));
      for (let told: unknown = error; told instanceof Error; told = told.cause) {
        assert.ok(!`${told.message}\n${told.stack}`.includes(joe.password), 'the error tells the password');
      }
    },

    async 'refuses names and passwords that are something else to somebody else'(checker) {
      for (const hostile of HOSTILE) {
        await refuses(checker, make(hostile, joe.password));
        await refuses(checker, make(joe.username, hostile));
        await refuses(checker, make(joe.username + hostile, joe.password));
      }
    },

    async 'keeps apart what is asked at the same time'(checker) {
      const answers = await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const user = index % 2 === 0 ? joe : ann;
          const right = index % 3 !== 0;
          const asked = ask(checker, make(user.username, right ? user.password : `${user.password}x`));
          return asked.then(
            (avatarId) => ({ right, is: avatarId === (user.avatarId ?? user.username) }),
            (error: unknown) => ({ right: !right, is: error instanceof UnauthorizedLogin }),
          );
        }),
      );
      assert.deepEqual(
        answers.filter(({ right, is }) => !right || !is),
        [],
      );
    },

    async 'asks live credentials, if it judges such, and believes their answer'(checker) {
      if (!judges(checker)) return;
      const right = new Live(joe.username, joe.password);
      assert.equal(await ask(checker, right), joe.avatarId ?? joe.username);
      await refuses(checker, new Live(joe.username, `${joe.password}x`));
    },

    async 'leaves live credentials alone, for the next checker, if it does not know the user'(checker) {
      if (!judges(checker)) return;
      const unknown = new Live('nobody-of-this-name', joe.password);
      await refuses(checker, unknown);
      assert.equal(unknown.asked, 0);
    },

    async 'does not recognise a client whose live credentials break'(checker) {
      if (!judges(checker)) return;
      await assert.rejects(async () => checker.requestAvatarId(new Broken(joe.username, joe.password), testMind()));
    },
  };
}

async function ask<C extends Credentials>(checker: Checker<C>, credentials: C): Promise<AvatarId> {
  const avatarId = await checker.requestAvatarId(credentials, testMind());
  assert.notEqual(avatarId, '', 'an avatar id is never empty');
  return avatarId;
}

async function refuses<C extends Credentials>(checker: Checker<C>, credentials: C): Promise<LoginError> {
  const mind: Mind = testMind();
  const error: unknown = await Promise.resolve()
    .then(() => checker.requestAvatarId(credentials, mind))
    .then(
      (avatarId) => assert.fail(`recognised as ${String(avatarId)}`),
      (reason: unknown) => reason,
    );
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(error instanceof LoginError, `not a LoginError: ${String(error)}`);
  assert.ok(error instanceof UnauthorizedLogin, `not an UnauthorizedLogin: ${error.name}`);
  return error;
}

/** Whether the checker takes any proof of a password. */
function judges<C extends Credentials>(
  checker: Checker<C> | Checker<PasswordProof>,
): checker is Checker<PasswordProof> {
  return (checker.credentialInterfaces as readonly unknown[]).includes(PasswordProof);
}

/** A proof that takes its time, and counts. */
class Live extends PasswordProof {
  readonly username: string;
  readonly #password: string;
  asked = 0;

  constructor(username: string, password: string) {
    super();
    this.username = username;
    this.#password = password;
  }

  override async checkPassword(password: string): Promise<boolean> {
    this.asked++;
    await Promise.resolve();
    return password === this.#password;
  }
}

class Broken extends Live {
  override checkPassword(): Promise<boolean> {
    return Promise.reject(new Error('the client left'));
  }
}

const HOSTILE = [
  '\0',
  '\n',
  '\r\n',
  '*',
  "' OR '1'='1",
  '*)(uid=*',
  '../../etc/passwd',
  '%s%n',
  '__proto__',
  'constructor',
  'toString',
  '\u00ad',
  '\ud800',
  'x'.repeat(100_000),
];
