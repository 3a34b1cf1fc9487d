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
import { type ContractCase, skippedCase } from './case.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

/** A checker, and the inputs of its contract. */
export interface CheckerContract<C extends Credentials = UsernamePassword> {
  /** Makes the checker for each rule, or returns the same one. */
  readonly make: () => Checker<C> | Promise<Checker<C>>;
  /** Two users that the checker knows. */
  readonly users: readonly [KnownUser, KnownUser];
  /** Makes the credentials of a user for the checker. Default: `UsernamePassword`. */
  readonly credentials?: (username: string, password: string) => C;
  /**
   * True if the checker registers for `PasswordProof`. Without it the rules about live credentials
   * are skipped. Default: false.
   */
  readonly judgesPasswordProof?: boolean;
}

/** A user that the checker knows, with the right password. Default avatar id: the user name. */
export interface KnownUser {
  readonly username: string;
  readonly password: string;
  readonly avatarId?: AvatarId;
}

/**
 * Returns the rules of every checker of user names and passwords, also for hostile input and for
 * live credentials.
 *
 * @example
 * ```ts
 * import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
 * import { checkerContract } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * const joe = { username: 'joe', password: 's3cret' };
 * const ann = { username: 'ann', password: 'pa55word' };
 * const passwords = { joe: 's3cret', ann: 'pa55word' };
 * const make = () => new InMemoryUsernamePasswordDatabaseDontUse(passwords);
 * const cases = checkerContract({ make, users: [joe, ann], judgesPasswordProof: true });
 * for (const { name, run, skipped } of cases) it.skipIf(skipped !== undefined)(name, run);
 * ```
 */
export function checkerContract<C extends Credentials = UsernamePassword>(
  contract: CheckerContract<C>,
): readonly ContractCase[] {
  const { judgesPasswordProof = false, users } = contract;
  const make =
    contract.credentials ?? ((username, password) => new UsernamePassword(username, password) as Credentials as C);
  const always = Object.entries(rules(users, make, judgesPasswordProof)).map(([name, rule]) => ({
    name,
    run: async () => rule(await contract.make()),
  }));
  const live = Object.entries(liveRules(users[0])).map(([name, rule]) =>
    judgesPasswordProof
      ? { name, run: async () => rule((await contract.make()) as unknown as Checker<PasswordProof>) }
      : skippedCase(name, 'the contract does not set `judgesPasswordProof`'),
  );
  return [...always, ...live];
}

function rules<C extends Credentials>(
  [joe, ann]: readonly [KnownUser, KnownUser],
  make: (username: string, password: string) => C,
  judgesPasswordProof: boolean,
): Readonly<Record<string, (checker: Checker<C>) => Promise<void>>> {
  return {
    async 'names the credentials that it judges'(checker) {
      const credentials = make(joe.username, joe.password);
      const judged: readonly unknown[] = checker.credentialInterfaces;
      assert.ok(checker.credentialInterfaces.some((judged) => credentials instanceof judged));
      assert.equal(judged.includes(PasswordProof), judgesPasswordProof, 'judgesPasswordProof of the contract');
    },

    async 'accepts each user with the right password'(checker) {
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

    async 'refuses an unknown user with any password'(checker) {
      for (const password of [joe.password, ann.password, '']) {
        await refuses(checker, make('nobody-of-this-name', password));
      }
    },

    async 'refuses an empty user name and an empty password'(checker) {
      await refuses(checker, make(joe.username, ''));
      await refuses(checker, make('', joe.password));
      await refuses(checker, make('', ''));
    },

    async 'refuses a wrong password and an unknown user with the same error'(checker) {
      const wrong = await refuses(checker, make(joe.username, `${joe.password}x`));
      const unknown = await refuses(checker, make('nobody-of-this-name', joe.password));
      assert.equal(unknown.message, wrong.message);
      assert.equal(unknown.code, wrong.code);
    },

    async 'has no secret in the error of a refusal'(checker) {
      const error = await refuses(checker, make(joe.username, `${joe.password}x`));
      for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
        const text = `${cause.message}\n${cause.stack}`;
        assert.ok(!text.includes(joe.password), 'the error contains the password');
      }
    },

    async 'refuses names and passwords with a special meaning in SQL, LDAP, paths and objects'(checker) {
      for (const hostile of HOSTILE_TEXTS) {
        await refuses(checker, make(hostile, joe.password));
        await refuses(checker, make(joe.username, hostile));
        // SASLprep removes a soft hyphen from a name: a checker that prepares names accepts it.
        if (hostile !== '\u00ad') await refuses(checker, make(joe.username + hostile, joe.password));
      }
    },

    async 'keeps logins apart that run at the same time'(checker) {
      const results = await Promise.all(
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
        results.filter(({ right, is }) => !right || !is),
        [],
      );
    },
  };
}

/** The rules for credentials that verify a password themselves, such as those of SCRAM. */
function liveRules(joe: KnownUser): Readonly<Record<string, (checker: Checker<PasswordProof>) => Promise<void>>> {
  return {
    async 'accepts and refuses live credentials by their own verdict'(checker) {
      const right = new Live(joe.username, joe.password);
      assert.equal(await ask(checker, right), joe.avatarId ?? joe.username);
      await refuses(checker, new Live(joe.username, `${joe.password}x`));
    },

    async 'leaves the live credentials of an unknown user to the next checker'(checker) {
      const unknown = new Live('nobody-of-this-name', joe.password);
      await refuses(checker, unknown);
      assert.equal(unknown.calls, 0);
    },

    async 'does not accept live credentials whose exchange breaks'(checker) {
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
      (avatarId) => assert.fail(`accepted as ${String(avatarId)}`),
      (reason: unknown) => reason,
    );
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(error instanceof LoginError, `not a LoginError: ${String(error)}`);
  assert.ok(error instanceof UnauthorizedLogin, `not an UnauthorizedLogin: ${error.name}`);
  return error;
}

/** Live credentials that count the calls of `checkPassword`. */
class Live extends PasswordProof {
  readonly username: string;
  readonly #password: string;
  calls = 0;

  constructor(username: string, password: string) {
    super();
    this.username = username;
    this.#password = password;
  }

  override async checkPassword(password: string): Promise<boolean> {
    this.calls++;
    await Promise.resolve();
    return password === this.#password;
  }
}

class Broken extends Live {
  override checkPassword(): Promise<boolean> {
    return Promise.reject(new Error('the client disconnected'));
  }
}
