import { type Interface, PasswordProof, UsernamePassword } from '@postern/cred';
import { ScramSha1Credentials, ScramSha256Credentials } from '@postern/sasl';
import { testMind } from '@postern/testing';
import { byDomain, InMemoryUserStore, UnknownUser, UserChecker, type UserRecord, type UserStore } from '@postern/users';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../support/any-character.ts';
import { CHEAP_POLICY, hashed } from './checker-support.ts';

const SIGNAL = new AbortController().signal;

/** A store that finds every name and keeps the names that it was asked for. */
class AskedStore implements UserStore {
  readonly asked: string[] = [];
  credentialInterfaces: readonly Interface<PasswordProof>[] = [UsernamePassword];

  find(name: string): UserRecord {
    this.asked.push(name);
    return { name, secrets: [] };
  }
}

describe('the store that is asked', () => {
  test.each([
    ['joe@a.example', 'a'],
    ['joe@A.Example', 'a'],
    ['joe@b.example@a.example', 'a'],
    ['JOE@b.example', 'b'],
    ['joe@müller.example', 'umlaut'],
    ['joe@MÜLLER.example', 'umlaut'],
    ['joe@xn--mller-kva.example', 'umlaut'],
    ['joe\uFF20a.example', 'a'],
    ['joe', 'default'],
    ['joe@', 'default'],
    ['joe@c.example', 'default'],
    ['joe@a.example.', 'default'],
    ['joe@sub.a.example', 'default'],
    ['joe@a%2eexample', 'default'],
    ['joe@default', 'default'],
    ['joe@__proto__', 'default'],
  ])('%s', async (name, expected) => {
    const stores = { a: new AskedStore(), b: new AskedStore(), umlaut: new AskedStore(), default: new AskedStore() };
    const { a, b, umlaut, default: fallback } = stores;
    const users = byDomain({ 'a.example': a, 'B.Example': b, 'müller.example': umlaut, default: fallback });
    expect((await users.find(name, SIGNAL))?.name).toBe(name);
    const asked = Object.entries(stores).filter(([, store]) => store.asked.length > 0);
    expect(asked.map(([key, store]) => [key, store.asked])).toEqual([[expected, [name]]]);
  });

  test('without a default no store is asked for another domain', () => {
    const store = new AskedStore();
    const users = byDomain({ 'a.example': store });
    for (const name of ['joe', 'joe@b.example', 'joe@toString', '@', '', '\0@a.example']) {
      expect(users.find(name, SIGNAL)).toBeUndefined();
    }
    expect(store.asked).toEqual([]);
  });

  test('an error of the store is an error of the look-up', async () => {
    const down: UserStore = { find: () => Promise.reject(new Error('down')) };
    await expect(byDomain({ 'a.example': down }).find('joe@a.example', SIGNAL)).rejects.toThrow('down');
  });

  test('any text is asked in at most one store', () => {
    const names = fc.string({ unit: anyCharacter }).map((text) => `${text}@a.example`);
    fc.assert(
      fc.property(fc.oneof(names, fc.string({ unit: anyCharacter })), (name) => {
        const [a, fallback] = [new AskedStore(), new AskedStore()];
        void byDomain({ 'a.example': a, default: fallback }).find(name, SIGNAL);
        expect(a.asked.length + fallback.asked.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the names of the stores', () => {
  const store = new AskedStore();

  test.each(['', 'a b', 'joe@a.example', 'a..example', '.example', 'a%2eexample'])('%j is no domain', (domain) => {
    expect(() => byDomain({ [domain]: store })).toThrow(TypeError);
  });

  test('two spellings of one domain are an error', () => {
    expect(() => byDomain({ 'müller.example': store, 'XN--MLLER-KVA.example': store })).toThrow('twice');
  });
});

describe('stripDomain', () => {
  test('joe of two domains is two users', async () => {
    const users = byDomain(
      {
        'a.example': new InMemoryUserStore([{ name: 'Joe', secrets: ['{PLAIN}a'] }]),
        'b.example': new InMemoryUserStore([{ name: 'joe', secrets: ['{PLAIN}b'] }]),
        default: new InMemoryUserStore([{ name: 'joe', secrets: ['{PLAIN}c'] }]),
      },
      { stripDomain: true },
    );
    expect(await users.find('joe@A.EXAMPLE', SIGNAL)).toEqual({ name: 'Joe@a.example', secrets: ['{PLAIN}a'] });
    expect(await users.find('joe@b.example', SIGNAL)).toEqual({ name: 'joe@b.example', secrets: ['{PLAIN}b'] });
    expect(await users.find('joe', SIGNAL)).toEqual({ name: 'joe', secrets: ['{PLAIN}c'] });
    expect(await users.find('ann@b.example', SIGNAL)).toBeUndefined();
  });

  test('an update changes the user of the domain, under the name in its store', async () => {
    const store = new InMemoryUserStore([{ name: 'Joe', secrets: [] }]);
    const users = byDomain({ 'a.example': store }, { stripDomain: true });
    await users.update?.('joe@a.example', (user) => ({ ...user, secrets: [`{PLAIN}${user.name}`] }));
    expect(store.find('joe')).toEqual({ name: 'Joe', secrets: ['{PLAIN}Joe@a.example'] });
  });
});

describe('update', () => {
  test('is absent if all stores are read-only', () => {
    expect(byDomain({ 'a.example': new AskedStore() }).update).toBeUndefined();
  });

  test('goes to the store of the domain', async () => {
    const store = new InMemoryUserStore([{ name: 'joe@a.example', secrets: [] }]);
    const users = byDomain({ 'a.example': store, 'b.example': new AskedStore() });
    await users.update?.('joe@a.example', (user) => ({ ...user, enabled: false }));
    expect(store.find('joe@a.example')?.enabled).toBe(false);
    expect(() => users.update?.('joe@b.example', (user) => user)).toThrow('read-only');
    const names = ['joe@a.example', 'joe@b.example', 'joe@c.example'];
    expect(names.map((name) => users.canUpdate?.(name))).toEqual([true, false, false]);
    expect(() => users.update?.('joe@c.example', (user) => user)).toThrow(UnknownUser);
  });
});

test('a checker rehashes the users of the stores that it can change', async () => {
  const user = { name: 'joe@a.example', secrets: [hashed('s3cret')] };
  const writable = new InMemoryUserStore([user]);
  const readOnly: UserStore = { find: (name) => ({ name, secrets: user.secrets }) };
  const errors: Error[] = [];
  const users = byDomain({ 'a.example': writable, 'b.example': readOnly });
  const onError = (error: Error) => errors.push(error);
  await using checker = new UserChecker(users, { policy: CHEAP_POLICY, onError });
  for (const name of ['joe@a.example', 'joe@b.example']) {
    await checker.requestAvatarId(new UsernamePassword(name, 's3cret'), testMind());
  }
  await checker[Symbol.asyncDispose]();
  expect(writable.find('joe@a.example')?.secrets).not.toEqual(user.secrets);
  expect(errors).toEqual([]);
});

test('the SCRAM key is that of the first store with one', () => {
  const scramKey = Buffer.alloc(32, 1);
  const stores = [new InMemoryUserStore(), { find: () => undefined, scramKey }];
  expect(byDomain({ 'a.example': stores[0] as UserStore, default: stores[1] as UserStore }).scramKey).toBe(scramKey);
  expect(byDomain({ default: stores[0] as UserStore }).scramKey).toBeUndefined();
});

describe('list', () => {
  async function names(store: UserStore, limit = 10): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of store.list?.() ?? []) if (found.push(name) === limit) break;
    return found;
  }
  const storeOf = (...users: string[]) => new InMemoryUserStore(users.map((name) => ({ name, secrets: [] })));

  test('takes the users of each store in turn, under their whole names', async () => {
    const stores = { 'a.example': storeOf('a', 'b', 'c'), 'b.example': storeOf('d'), default: storeOf('e') };
    const users = byDomain({ ...stores, 'c.example': new AskedStore() }, { stripDomain: true });
    expect(await names(users)).toEqual(['a@a.example', 'd@b.example', 'e', 'b@a.example', 'c@a.example']);
    expect(await names(users, 2)).toEqual(['a@a.example', 'd@b.example']);
  });

  test('is absent if no store lists its users', () => {
    expect(byDomain({ 'a.example': new AskedStore() })).toHaveProperty('list', undefined);
  });

  test('ends the list of each store if the caller leaves it', async () => {
    const ended: string[] = [];
    const listing = (domain: string) => ({
      find: () => undefined,
      async *list(): AsyncGenerator<UserRecord> {
        try {
          for (;;) yield { name: `joe@${domain}`, secrets: [] };
        } finally {
          ended.push(domain);
        }
      },
    });
    const users = byDomain({ 'a.example': listing('a.example'), 'b.example': listing('b.example') });
    expect(await names(users, 3)).toEqual(['joe@a.example', 'joe@b.example', 'joe@a.example']);
    expect(ended).toEqual(['a.example', 'b.example']);
  });
});

describe('credentialInterfaces', () => {
  test.each<[readonly (readonly Interface<PasswordProof>[])[], readonly Interface<PasswordProof>[]]>([
    [[[UsernamePassword], [UsernamePassword]], [UsernamePassword]],
    [
      [[PasswordProof], [UsernamePassword, ScramSha256Credentials]],
      [UsernamePassword, ScramSha256Credentials],
    ],
    [[[PasswordProof], [PasswordProof]], [PasswordProof]],
    [
      [
        [UsernamePassword, ScramSha1Credentials],
        [UsernamePassword, ScramSha256Credentials],
      ],
      [UsernamePassword],
    ],
    [[[ScramSha1Credentials], [ScramSha256Credentials]], []],
  ])('are the classes that each store serves, case %#', (lists, expected) => {
    const stores = lists.map((list, index) => {
      const store = new AskedStore();
      store.credentialInterfaces = list;
      return [`${index}.example`, store] as const;
    });
    expect(byDomain(Object.fromEntries(stores)).credentialInterfaces).toEqual(expected);
  });

  test('are those for hashes if a store names none', () => {
    expect(byDomain({ 'a.example': { find: () => undefined } }).credentialInterfaces).toEqual([UsernamePassword]);
  });

  test('follow the stores, and are one array while nothing changes', () => {
    const [a, b] = [new AskedStore(), new AskedStore()];
    const users = byDomain({ 'a.example': a, 'b.example': b });
    const before = users.credentialInterfaces;
    expect(users.credentialInterfaces).toBe(before);
    a.credentialInterfaces = [PasswordProof];
    b.credentialInterfaces = [PasswordProof];
    expect(users.credentialInterfaces).toEqual([PasswordProof]);
    expect(users.credentialInterfaces).toBe(users.credentialInterfaces);
  });
});
