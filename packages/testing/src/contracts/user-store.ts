import assert from 'node:assert/strict';
import type { MaybePromise } from '@postern/cred';
import { isUserDatabase, type UserDatabase, type UserRecord, type UserStore } from '@postern/users';
import { type ContractCase, skippedCase } from './case.ts';
import { databaseRules } from './user-database-rules.ts';
import { editedInterfaceRules, interfaceRules } from './user-store-interface-rules.ts';
import {
  find,
  findRules,
  HASH,
  PARTS,
  rejectsTemporarily,
  type UserStorePart,
  type UserStoreRule,
} from './user-store-rules.ts';

/** A user store that a contract tests. */
export interface UserStoreUnderTest {
  readonly store: UserStore;
  /** Removes what `make` created. */
  readonly dispose?: () => MaybePromise<void>;
}

/** A user store whose database the contract makes unreachable. */
export interface BreakableUserStore extends UserStoreUnderTest {
  readonly breakDown: () => MaybePromise<void>;
  /** Ends the fault. Without it the rule ends with the fault. */
  readonly restore?: () => MaybePromise<void>;
}

/** A fault of a user store. */
export interface UserStoreFault {
  /** The fault: `the server is stopped`. */
  readonly name: string;
  readonly make: (users: readonly UserRecord[]) => MaybePromise<BreakableUserStore>;
}

/** A user store, and the inputs of its contract. A rule whose input is missing is skipped. */
export interface UserStoreContract {
  /** Makes a store with these users and no others, for each rule. */
  readonly make: (users: readonly UserRecord[]) => MaybePromise<UserStoreUnderTest>;
  /**
   * The parts of a record that the store keeps besides the name and one secret; `secrets` is for
   * several secrets of one user. Default: all. A file of names and hashes keeps `[]`.
   */
  readonly keeps?: readonly UserStorePart[];
  /** A stored secret that the store returns as it is. Default: a hash of SHA-512-crypt. */
  readonly secret?: string;
  /** True if `credentialInterfaces` follows the secrets of the users. Default: false. */
  readonly hasInterfaces?: boolean;
  /** True if the store is a `UserDatabase`, which an operator can edit. Default: false. */
  readonly isDatabase?: boolean;
  /** Faults that make the database unreachable. */
  readonly faults?: readonly UserStoreFault[];
}

/**
 * Returns the rules of every `UserStore` and of every `UserDatabase`: the names that find a user,
 * the parts of a record, atomic changes, and the errors of an unreachable database.
 *
 * @example
 * ```ts
 * import { userStoreContract } from '@postern/testing';
 * import { InMemoryUserStore } from '@postern/users';
 * import { it } from 'vitest';
 *
 * const cases = userStoreContract({
 *   make: (users) => ({ store: new InMemoryUserStore(users) }),
 *   hasInterfaces: true,
 *   isDatabase: true,
 * });
 * for (const { name, run, skipped } of cases) it.skipIf(skipped !== undefined)(name, run);
 * ```
 */
export function userStoreContract(contract: UserStoreContract): readonly ContractCase[] {
  const { faults = [], hasInterfaces = false, isDatabase = false, keeps = PARTS, make, secret = HASH } = contract;
  const rule = (rule: UserStoreRule<UserStore>, ...missing: readonly (string | false)[]): ContractCase => {
    const isKept = rule.needs === undefined || keeps.includes(rule.needs);
    const reason = [...missing, !isKept && `the store does not keep \`${rule.needs}\``].find((text) => text !== false);
    if (reason !== undefined) return skippedCase(rule.name, reason);
    return { name: rule.name, run: () => run(make, rule.users, ({ store }) => rule.run(store)) };
  };
  const noInterfaces = !hasInterfaces && 'the contract does not set `hasInterfaces`';
  const noDatabase = !isDatabase && 'the contract does not set `isDatabase`';
  return [
    ...findRules(secret).map((each) => rule(each)),
    ...interfaceRules().map((each) => rule(each, noInterfaces)),
    ...databaseRules().map((each) => rule(forDatabase(each), noDatabase)),
    ...editedInterfaceRules().map((each) => rule(forDatabase(each), noDatabase, noInterfaces)),
    ...(faults.length === 0
      ? [skippedCase(TEMPORARY, 'the contract has no `faults`')]
      : faults.map((fault) => ({ name: `${TEMPORARY}: ${fault.name}`, run: () => runFault(fault, secret) }))),
  ];
}

function forDatabase(rule: UserStoreRule<UserDatabase>): UserStoreRule<UserStore> {
  return {
    ...rule,
    async run(store) {
      assert.ok(isUserDatabase(store), 'the store is no `UserDatabase`');
      await rule.run(store);
    },
  };
}

async function run<T extends UserStoreUnderTest>(
  make: (users: readonly UserRecord[]) => MaybePromise<T>,
  users: readonly UserRecord[],
  rule: (tested: T) => Promise<void>,
): Promise<void> {
  const tested = await make(users);
  try {
    await rule(tested);
  } finally {
    await tested.dispose?.();
  }
}

function runFault({ make }: UserStoreFault, secret: string): Promise<void> {
  return run(make, [{ name: 'joe', secrets: [secret] }], async ({ store, breakDown, restore }) => {
    assert.equal((await find(store, 'joe'))?.name, 'joe');
    await breakDown();
    try {
      await rejectsTemporarily(store);
    } finally {
      await restore?.();
    }
    if (restore !== undefined) assert.equal((await find(store, 'joe'))?.name, 'joe');
  });
}

const TEMPORARY = 'rejects without a refusal of the client if the database cannot be reached';
