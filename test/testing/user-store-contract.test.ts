import { UnauthorizedLogin } from '@postern/cred';
import { type ContractCase, type UserStoreContract, type UserStoreFault, userStoreContract } from '@postern/testing';
import { canonicalName, InMemoryUserStore, type UserRecord, type UserStore } from '@postern/users';
import { describe, expect, it } from 'vitest';

const TEMPORARY = 'rejects without a refusal of the client if the database cannot be reached';

describe('the user store contract finds', () => {
  it.each<readonly [string, UserStoreContract['make'], string]>([
    [
      'a store that finds exact names alone',
      readOnly((users) => (name) => users.find((user) => user.name === name)),
      'finds a user by the canonical name, and returns the stored name',
    ],
    [
      'a database that finds canonical names alone',
      database(
        class extends InMemoryUserStore {
          override find(name: string) {
            return canonicalName(name) === name ? super.find(name) : undefined;
          }
        },
      ),
      'finds a user by each spelling of the name, and returns the stored name',
    ],
    [
      'a store that returns the canonical name',
      readOnly((users) => (name) => {
        const user = new InMemoryUserStore(users).find(name);
        return user && { ...user, name };
      }),
      'finds a user by the canonical name, and returns the stored name',
    ],
    [
      'a store with its users in a plain object',
      readOnly((users) => {
        const table = Object.fromEntries(users.map((user) => [canonicalName(user.name), user]));
        return (name) => table[canonicalName(name) ?? ''];
      }),
      'returns undefined for names with a special meaning in SQL, LDAP, paths and objects',
    ],
    [
      'a store that cuts names at NUL',
      readOnly((users) => (name) => new InMemoryUserStore(users).find(name.split('\0')[0] as string)),
      'returns undefined for names with a special meaning in SQL, LDAP, paths and objects',
    ],
    [
      'a store that finds the names that begin so',
      readOnly(
        (users) => (name) => users.find((user) => canonicalName(user.name)?.startsWith(canonicalName(name) ?? '?')),
      ),
      'returns undefined for an unknown user',
    ],
    [
      'a store whose find refuses an aborted signal as a login',
      readOnly((users) => (name, signal) => {
        if (signal?.aborted) throw new UnauthorizedLogin();
        return new InMemoryUserStore(users).find(name);
      }),
      'finds the user or rejects if the signal has aborted, and finds the user afterwards',
    ],
    [
      'a store that keeps whole seconds',
      readOnly((users) => (name) => {
        const user = new InMemoryUserStore(users).find(name);
        return user?.expires ? { ...user, expires: new Date(Math.trunc(user.expires.getTime() / 1000) * 1000) } : user;
      }),
      'keeps `expires` of a user',
    ],
    [
      'a store that keeps an empty list as no list',
      readOnly((users) => (name) => {
        const user = new InMemoryUserStore(users).find(name);
        if (user?.scopes?.length !== 0) return user;
        const { scopes: _, ...rest } = user;
        return rest;
      }),
      'keeps an empty list of scopes apart from no list',
    ],
    [
      'a store that makes its list of interfaces anew',
      database(
        class extends InMemoryUserStore {
          override get credentialInterfaces() {
            return [...super.credentialInterfaces];
          }
        },
      ),
      'returns the same `credentialInterfaces` while no user changes',
    ],
    [
      'a store whose list of interfaces never changes',
      (users) => {
        const store = new InMemoryUserStore(users);
        const { credentialInterfaces } = store;
        return { store: Object.defineProperty(store, 'credentialInterfaces', { value: credentialInterfaces }) };
      },
      'changes `credentialInterfaces` with each edit, and returns the same array otherwise',
    ],
    [
      'a store that reads and writes in two steps',
      database(
        class extends InMemoryUserStore {
          override async update(name: string, change: (user: UserRecord) => UserRecord | undefined) {
            const user = this.find(name);
            await Promise.resolve();
            await super.update(name, () => change(user as UserRecord));
          }
        },
      ),
      'loses no update of many at the same time',
    ],
    [
      'a store that replaces a user of the same name',
      database(
        class extends InMemoryUserStore {
          override async addAll(users: Iterable<UserRecord> | AsyncIterable<UserRecord>) {
            for await (const user of users) {
              if (this.find(user.name)) await this.remove(user.name);
              await this.add(user);
            }
            return [];
          }
        },
      ),
      'adds many users of an async iterable, and returns the names that exist',
    ],
    [
      'a store that lists in the order of insertion',
      database(
        class extends InMemoryUserStore {
          readonly #names: string[] = [];
          override async add(user: UserRecord) {
            await super.add(user);
            this.#names.push(user.name);
          }
          override async addAll(users: Iterable<UserRecord> | AsyncIterable<UserRecord>) {
            for await (const user of users) await this.add(user);
            return [];
          }
          override async *list() {
            for (const name of this.#names) yield this.find(name) as UserRecord;
          }
        },
      ),
      'lists all users in the order of their canonical names',
    ],
    [
      'a store that is no database',
      readOnly((users) => (name) => new InMemoryUserStore(users).find(name)),
      'removes a user, whose name is then free',
    ],
  ])('%s', async (_title, make, rule) => {
    expect(await brokenRules({ make, hasInterfaces: true, isDatabase: true })).toContain(rule);
  });

  it.each<readonly [string, (name: string) => UserRecord | undefined]>([
    ['does not know the users of a database that is down', () => undefined],
    [
      'refuses the client while its database is down',
      () => {
        throw new UnauthorizedLogin();
      },
    ],
  ])('a store that %s', async (_title, findWhileDown) => {
    const make: UserStoreFault['make'] = (users) => {
      const memory = new InMemoryUserStore(users);
      let isDown = false;
      const store: UserStore = { find: (name) => (isDown ? findWhileDown(name) : memory.find(name)) };
      const setDown = (down: boolean) => () => {
        isDown = down;
      };
      return { store, breakDown: setDown(true), restore: setDown(false) };
    };
    expect(await brokenRules({ make, faults: [{ name: 'down', make }] })).toEqual([`${TEMPORARY}: down`]);
  });
});

it('the user store contract passes a map of canonical names', async () => {
  const make = readOnly((users) => {
    const table = new Map(users.map((user) => [canonicalName(user.name), user]));
    return (name) => table.get(name);
  });
  expect(await brokenRules({ make })).toEqual([]);
});

describe('the user store contract skips', () => {
  const make = (users: readonly UserRecord[]) => ({ store: new InMemoryUserStore(users) });

  it('the rules of the parts that a store does not keep', () => {
    const skipped = skippedRules({ make, keeps: ['secrets'], hasInterfaces: true, isDatabase: false });
    expect(skipped).toEqual(
      expect.arrayContaining(['keeps `enabled` of a user', 'ignores the secrets of a disabled user', TEMPORARY]),
    );
    expect(skipped).not.toContain('keeps `secrets` of a user');
  });

  it('the rules of databases and of interfaces without their input, and does not pass them', async () => {
    const cases = userStoreContract({ make });
    expect(skippedRules({ make })).toEqual(
      expect.arrayContaining([
        'loses no update of many at the same time',
        'names `UsernamePassword` for a store without users',
        'changes `credentialInterfaces` with each edit, and returns the same array otherwise',
      ]),
    );
    for (const { run, skipped } of cases) if (skipped !== undefined) await expect(run()).rejects.toThrow(skipped);
  });
});

it('the user store contract disposes of each store', async () => {
  let open = 0;
  const make: UserStoreContract['make'] = (users) => {
    open++;
    const dispose = () => {
      open--;
    };
    return { store: new InMemoryUserStore(users), dispose };
  };
  await brokenRules({ make, isDatabase: true });
  expect(open).toBe(0);
});

type Find = (name: string, signal?: AbortSignal) => UserRecord | undefined;

function readOnly(findIn: (users: readonly UserRecord[]) => Find): UserStoreContract['make'] {
  return (users) => ({ store: { find: findIn(users) } });
}

function database(broken: new () => InMemoryUserStore): UserStoreContract['make'] {
  return async (users) => {
    const store = new broken();
    for (const user of users) await store.add(user);
    return { store };
  };
}

async function brokenRules(contract: UserStoreContract): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const { name, run, skipped } of userStoreContract(contract)) {
    if (skipped === undefined) await run().catch(() => broken.push(name));
  }
  return broken;
}

function skippedRules(contract: UserStoreContract): readonly string[] {
  const isSkipped = ({ skipped }: ContractCase) => skipped !== undefined;
  return userStoreContract(contract)
    .filter(isSkipped)
    .map(({ name }) => name);
}
