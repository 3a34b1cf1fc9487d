import { inspect } from 'node:util';
import { PasswordProof, UsernamePassword } from '@postern/cred';
import { FakeClock } from '@postern/testing';
import { type CacheOptions, cachedStore, InMemoryUserStore, type UserRecord, type UserStore } from '@postern/users';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const SIGNAL = new AbortController().signal;
const SECOND = 1_000;

const user = (name: string, version = 0): UserRecord => ({ name, secrets: [`{PLAIN}${version}`] });

/** A query of the cache to the store, which the test settles. */
interface PendingQuery extends PromiseWithResolvers<UserRecord | undefined> {
  readonly name: string;
  readonly signal: AbortSignal;
}

function pendingStore() {
  const queries: PendingQuery[] = [];
  const store: UserStore = {
    find(name, signal) {
      const query = { ...Promise.withResolvers<UserRecord | undefined>(), name, signal };
      queries.push(query);
      return query.promise;
    },
  };
  const query = (index: number): PendingQuery => queries[index] ?? expect.fail(`no query ${index}`);
  return { store, queries, query };
}

/** A cache of a synchronous store, whose queries are counted. */
function countedCache(options: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const database = new InMemoryUserStore([user('joe')]);
  const asked: string[] = [];
  const store: UserStore = {
    find(name) {
      asked.push(name);
      return database.find(name);
    },
    update: (name, change) => database.update(name, change),
  };
  return { clock, database, asked, cache: cachedStore(store, { maxAge: 10, clock, ...options }) };
}

describe('the age of answers', () => {
  test('a user is kept for maxAge seconds, under each spelling of the name', async () => {
    const { clock, asked, cache } = countedCache();
    expect(cache.find('joe', SIGNAL)).toEqual(user('joe'));
    await clock.advance(10 * SECOND - 1);
    expect(cache.find('JOE', SIGNAL)).toEqual(user('joe'));
    expect(asked).toEqual(['joe']);
    await clock.advance(1);
    void cache.find('joe', SIGNAL);
    expect(asked).toEqual(['joe', 'joe']);
  });

  test('an unknown name is kept for a second', async () => {
    const { clock, database, cache, asked } = countedCache();
    expect(cache.find('ann', SIGNAL)).toBeUndefined();
    await database.add(user('ann'));
    await clock.advance(SECOND - 1);
    expect(cache.find('ann', SIGNAL)).toBeUndefined();
    expect(asked).toEqual(['ann']);
    await clock.advance(1);
    expect(cache.find('ann', SIGNAL)).toEqual(user('ann'));
  });

  test('maxUnknownAge 0 asks for an unknown name each time', () => {
    const { asked, cache } = countedCache({ maxUnknownAge: 0 });
    void cache.find('ann', SIGNAL);
    void cache.find('ann', SIGNAL);
    expect(asked).toEqual(['ann', 'ann']);
  });

  test('the age counts from the beginning of the query', async () => {
    const clock = new FakeClock();
    const { store, queries, query } = pendingStore();
    const cache = cachedStore(store, { maxAge: 10, clock });
    const found = cache.find('joe', SIGNAL);
    await clock.advance(9 * SECOND);
    query(0).resolve(user('joe'));
    await found;
    await clock.advance(SECOND);
    const again = cache.find('joe', SIGNAL);
    expect(queries).toHaveLength(2);
    query(1).resolve(user('joe', 1));
    expect(await again).toEqual(user('joe', 1));
  });

  test('a text that is no name is unknown without a query', () => {
    const { asked, cache } = countedCache();
    expect(cache.find('', SIGNAL)).toBeUndefined();
    expect(cache.find('a\0b', SIGNAL)).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

describe('the number of answers', () => {
  test('the oldest answer makes room', () => {
    const { asked, cache } = countedCache({ maxEntries: 2 });
    for (const name of ['a', 'b', 'c', 'b', 'c', 'a']) void cache.find(name, SIGNAL);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });

  test('unknown names make no user leave, so that users can log in while the store fails', async () => {
    const { clock, database, cache } = countedCache({ maxEntries: 2, staleWhileDown: 60 });
    void cache.find('joe', SIGNAL);
    for (const name of ['a', 'b', 'c', 'd']) void cache.find(name, SIGNAL);
    await clock.advance(30 * SECOND);
    database.find = () => {
      throw new Error('down');
    };
    expect(cache.find('joe', SIGNAL)).toEqual(user('joe'));
  });

  test('null of a store in JavaScript is an unknown name', async () => {
    const { clock, database, cache, asked } = countedCache();
    database.find = () => null as never;
    expect(cache.find('ann', SIGNAL)).toBeUndefined();
    await clock.advance(SECOND);
    expect(cache.find('ann', SIGNAL)).toBeUndefined();
    expect(asked).toEqual(['ann', 'ann']);
  });
});

describe('look-ups at one time', () => {
  test('share one query', async () => {
    const { store, queries, query } = pendingStore();
    const cache = cachedStore(store, { maxAge: 10 });
    const found = [cache.find('joe', SIGNAL), cache.find('Joe', SIGNAL), cache.find('ann', SIGNAL)];
    expect(queries.map(({ name }) => name)).toEqual(['joe', 'ann']);
    query(0).resolve(user('joe'));
    query(1).resolve(undefined);
    expect(await Promise.all(found.map(async (each) => each))).toEqual([user('joe'), user('joe'), undefined]);
  });

  test('an aborted look-up rejects alone', async () => {
    const { store, query } = pendingStore();
    const cache = cachedStore(store, { maxAge: 10 });
    const abort = new AbortController();
    const [aborted, other] = [cache.find('joe', abort.signal), cache.find('joe', SIGNAL)];
    abort.abort(new Error('the client left'));
    await expect(aborted).rejects.toThrow('the client left');
    expect(query(0).signal.aborted).toBe(false);
    query(0).resolve(user('joe'));
    expect(await other).toEqual(user('joe'));
  });

  test('the query is aborted with its last look-up, and the next look-up asks again', async () => {
    const { store, queries, query } = pendingStore();
    const cache = cachedStore(store, { maxAge: 10 });
    const abort = new AbortController();
    const both = [cache.find('joe', abort.signal), cache.find('joe', abort.signal)];
    abort.abort();
    expect((await Promise.allSettled(both.map(async (each) => each))).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ]);
    expect(query(0).signal.aborted).toBe(true);
    const next = cache.find('joe', SIGNAL);
    expect(queries).toHaveLength(2);
    query(0).resolve(user('joe', 0));
    query(1).resolve(user('joe', 1));
    expect(await next).toEqual(user('joe', 1));
    expect(cache.find('joe', SIGNAL)).toEqual(user('joe', 1));
  });

  test('a query older than maxAge is not joined', async () => {
    const clock = new FakeClock();
    const { store, queries, query } = pendingStore();
    const cache = cachedStore(store, { maxAge: 10, clock });
    const old = cache.find('joe', SIGNAL);
    await clock.advance(10 * SECOND);
    const young = cache.find('joe', SIGNAL);
    expect(queries).toHaveLength(2);
    query(1).resolve(user('joe', 1));
    query(0).resolve(user('joe', 0));
    expect(await Promise.all([old, young])).toEqual([user('joe', 0), user('joe', 1)]);
    expect(cache.find('joe', SIGNAL)).toEqual(user('joe', 1));
  });

  test('a failed query rejects all of them, and is not kept', async () => {
    const { store, queries, query } = pendingStore();
    const cache = cachedStore(store, { maxAge: 10, staleWhileDown: 60 });
    const both = Promise.allSettled([cache.find('joe', SIGNAL), cache.find('joe', SIGNAL)]);
    query(0).reject(new Error('down'));
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = cache.find('joe', SIGNAL);
    expect(queries).toHaveLength(2);
    query(1).resolve(user('joe'));
    expect(await next).toEqual(user('joe'));
  });
});

describe('a store that is down', () => {
  /** A cache that knows joe and that ann is unknown, whose store fails from now on. */
  async function downCache(staleWhileDown: number, isSynchronous = false) {
    const clock = new FakeClock();
    let down = false;
    const store: UserStore = {
      find(name) {
        const found = name === 'joe' ? user('joe') : undefined;
        if (!down) return found;
        if (isSynchronous) throw new Error('down');
        return Promise.reject(new Error('down'));
      },
    };
    const cache = cachedStore(store, { maxAge: 10, staleWhileDown, clock });
    await cache.find('joe', SIGNAL);
    await cache.find('ann', SIGNAL);
    down = true;
    return { clock, find: async (name: string) => cache.find(name, SIGNAL) };
  }

  test.each([false, true])(
    'a user is returned for staleWhileDown more seconds, synchronous: %s',
    async (isSynchronous) => {
      const { clock, find } = await downCache(60, isSynchronous);
      await clock.advance(70 * SECOND - 1);
      expect(await find('joe')).toEqual(user('joe'));
      await clock.advance(1);
      await expect(find('joe')).rejects.toThrow('down');
    },
  );

  test('by default a user is not returned after maxAge', async () => {
    const { clock, find } = await downCache(0);
    await clock.advance(10 * SECOND);
    await expect(find('joe')).rejects.toThrow('down');
  });

  test('an unknown name is an error', async () => {
    const { clock, find } = await downCache(60);
    await clock.advance(SECOND);
    await expect(find('ann')).rejects.toThrow('down');
  });

  test('a store without an answer counts as down after downTimeout', async () => {
    const clock = new FakeClock();
    const { store, query } = pendingStore();
    const cache = cachedStore(store, { maxAge: 10, staleWhileDown: 60, downTimeout: 500, clock });
    const first = cache.find('joe', SIGNAL);
    query(0).resolve(user('joe'));
    await first;
    await clock.advance(10 * SECOND);
    const second = cache.find('joe', SIGNAL);
    await clock.advance(500);
    expect(await second).toEqual(user('joe'));
    expect(query(1).signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe('update', () => {
  test('is absent if the store is read-only', () => {
    expect(cachedStore({ find: () => undefined }, { maxAge: 1 }).update).toBeUndefined();
  });

  test('makes the cache forget the user', async () => {
    const { cache } = countedCache();
    void cache.find('joe', SIGNAL);
    await cache.update?.('JOE', (record) => ({ ...record, enabled: false }));
    expect(cache.find('joe', SIGNAL)).toMatchObject({ enabled: false });
  });

  test('a query that began before it is not kept and not joined', async () => {
    const { store, queries, query } = pendingStore();
    const cache = cachedStore({ ...store, update: () => undefined }, { maxAge: 10 });
    const before = cache.find('joe', SIGNAL);
    await cache.update?.('joe', (record) => record);
    const behind = cache.find('joe', SIGNAL);
    expect(queries).toHaveLength(2);
    query(1).resolve(user('joe', 1));
    await behind;
    query(0).resolve(user('joe', 0));
    expect(await before).toEqual(user('joe', 0));
    expect(cache.find('joe', SIGNAL)).toEqual(user('joe', 1));
  });
});

test('list is that of the store, if it has one', async () => {
  const cache = cachedStore(new InMemoryUserStore([user('joe')]), { maxAge: 1 });
  for await (const record of cache.list?.() ?? expect.fail('no list')) expect(record).toEqual(user('joe'));
  expect(cachedStore({ find: () => undefined }, { maxAge: 1 })).toHaveProperty('list', undefined);
});

test('credentialInterfaces are those of the store, live', () => {
  const store: { find: UserStore['find']; credentialInterfaces?: NonNullable<UserStore['credentialInterfaces']> } = {
    find: () => undefined,
  };
  const cache = cachedStore(store, { maxAge: 1 });
  expect(cache.credentialInterfaces).toEqual([UsernamePassword]);
  expect(cache.credentialInterfaces).toBe(cache.credentialInterfaces);
  const changed = [PasswordProof];
  store.credentialInterfaces = changed;
  expect(cache.credentialInterfaces).toBe(changed);
});

test('the cache shows no name that a client sent', () => {
  const { cache } = countedCache();
  void cache.find('my-own-password', SIGNAL);
  expect(inspect(cache, { depth: 9, showHidden: true })).not.toContain('my-own-password');
});

test.each<[Partial<CacheOptions>, string]>([
  [{ maxAge: 0 }, 'maxAge is 0'],
  [{ maxAge: Number.NaN }, 'maxAge is NaN'],
  [{ maxUnknownAge: 11 }, 'maxUnknownAge is 11'],
  [{ maxEntries: 0 }, 'maxEntries is 0'],
  [{ maxEntries: 1.5 }, 'maxEntries is 1.5'],
  [{ staleWhileDown: -1 }, 'staleWhileDown is -1'],
  [{ downTimeout: 0 }, 'downTimeout is 0'],
])('%j is out of range', (options, message) => {
  expect(() => cachedStore({ find: () => undefined }, { maxAge: 10, ...options })).toThrow(message);
});

/** A step of the model: time passes, a user changes, a name is asked for, or the store fails. */
type Step =
  | { readonly kind: 'advance'; readonly seconds: number }
  | { readonly kind: 'change' | 'update' | 'find'; readonly name: string }
  | { readonly kind: 'down'; readonly down: boolean };

const NAMES = ['a', 'b', 'c'];
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('advance' as const), seconds: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ kind: fc.constantFrom('change' as const, 'update' as const), name: fc.constantFrom(...NAMES) }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('find' as const), name: fc.constantFrom(...NAMES) }) },
  fc.record({ kind: fc.constant('down' as const), down: fc.boolean() }),
);

test('no answer is older than its age, after any steps', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new FakeClock();
      const options = { maxAge: 10, maxUnknownAge: 3, staleWhileDown: 20, maxEntries: 2 };
      /** The versions of each user, with the times at which they began; version 0 is no user. */
      const history = new Map(NAMES.map((name) => [name, [{ version: 0, since: Number.NEGATIVE_INFINITY }]]));
      const updated = new Map<string, number>();
      let [down, version] = [false, 0];
      const change = (name: string): void => {
        // Every third version is the removal of the user.
        history.get(name)?.push({ version: ++version % 3 === 0 ? 0 : version, since: clock.now() });
      };
      const current = (name: string) => history.get(name)?.at(-1)?.version ?? 0;
      const store: UserStore = {
        async find(name) {
          if (down) throw new Error('down');
          return current(name) === 0 ? undefined : user(name, current(name));
        },
        async update(name) {
          change(name);
        },
      };
      const cache = cachedStore(store, { ...options, clock });
      for (const each of steps) {
        if (each.kind === 'advance') await clock.advance(each.seconds * SECOND);
        else if (each.kind === 'down') down = each.down;
        else if (each.kind === 'change') change(each.name);
        else if (each.kind === 'update') {
          await cache.update?.(each.name, (record) => record);
          updated.set(each.name, clock.now());
        } else {
          const { name } = each;
          const found = await Promise.resolve(cache.find(name, SIGNAL)).catch(() => 'down' as const);
          if (found === 'down') {
            expect(down).toBe(true);
            continue;
          }
          const seen = found === undefined ? 0 : Number(found.secrets[0]?.slice('{PLAIN}'.length));
          const age = seen === 0 ? options.maxUnknownAge : options.maxAge + (down ? options.staleWhileDown : 0);
          const from = Math.max(clock.now() - age * SECOND, updated.get(name) ?? Number.NEGATIVE_INFINITY);
          const versions = history.get(name) ?? [];
          // A version was current at a moment after `from` if its successor came after `from`.
          const right = versions.filter((_, index) => (versions[index + 1]?.since ?? Number.POSITIVE_INFINITY) >= from);
          expect(right.map((entry) => entry.version)).toContain(seen);
        }
      }
    }),
  );
});
