import assert from 'node:assert/strict';
import {
  isUserDatabase,
  SecretError,
  UnknownUser,
  type UserDatabase,
  UserExists,
  type UserRecord,
} from '@postern/users';
import { find, fullUser, HASH, SCRAM, SPELLINGS, type UserStoreRule } from './user-store-rules.ts';

/** Returns the rules of every `UserDatabase`: `add`, `addAll`, `update`, `remove` and `list`. */
export function databaseRules(): readonly UserStoreRule<UserDatabase>[] {
  return [...Object.entries(editRules()), ...Object.entries(updateRules()), ...Object.entries(listRules())].map(
    ([name, run]) => ({ name, users: [joe, ann], run }),
  );
}

type Rules = Readonly<Record<string, (store: UserDatabase) => Promise<void>>>;

function editRules(): Rules {
  return {
    async 'adds a user with every part'(store) {
      assert.ok(isUserDatabase(store));
      const eve = fullUser('Eve');
      await store.add(eve);
      assert.deepEqual(await find(store, 'eve'), eve);
    },

    async 'finds a user by each spelling of the name, and returns the stored name'(store) {
      for (const name of ['Ann.Lee', 'Jürgen']) await store.add({ name, secrets: [HASH] });
      for (const [stored, ...spellings] of SPELLINGS) {
        for (const name of [stored, ...spellings]) {
          assert.deepEqual([name, (await find(store, name))?.name], [name, stored]);
        }
      }
    },

    async 'refuses a second user of one canonical name'(store) {
      await assert.rejects(store.add({ name: 'JOE', secrets: [SCRAM] }), UserExists);
      const user = await find(store, 'joe');
      assert.deepEqual([user?.name, user?.secrets], ['joe', [HASH]]);
    },

    async 'adds one of the users of one name that are added at the same time'(store) {
      const names = Array.from({ length: 20 }, (_, index) => ['eve', 'Eve', 'EVE'][index % 3] as string);
      const results = await Promise.allSettled(names.map((name) => store.add({ name, secrets: [HASH] })));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results) {
        if (result.status === 'rejected') assert.ok(result.reason instanceof UserExists, String(result.reason));
      }
    },

    async 'refuses a record that cannot be stored'(store) {
      for (const name of ['', '\0', 'eve\0', '\u0085', '\ud800', 'x'.repeat(2_000)]) {
        await assert.rejects(store.add({ name, secrets: [HASH] }), TypeError, JSON.stringify(name.slice(0, 20)));
      }
      await assert.rejects(store.add({ name: 'eve', secrets: [`${HASH}\0`] }), TypeError);
      await assert.rejects(store.add({ name: 'eve', secrets: [HASH], expires: new Date(Number.NaN) }), TypeError);
      const phone = { name: 'phone', secrets: [HASH] };
      await assert.rejects(store.add({ name: 'eve', secrets: [], appPasswords: [phone, phone] }), TypeError);
      const phones = Array.from({ length: 1001 }, (_, index) => ({ ...phone, name: `phone ${index}` }));
      await assert.rejects(store.add({ name: 'eve', secrets: [], appPasswords: phones }), TypeError);
      assert.equal(await find(store, 'eve'), undefined);
    },

    async 'refuses a text that is no stored secret, without its text in the error'(store) {
      const refusesSecret = (work: Promise<void>) =>
        assert.rejects(work, (error) => error instanceof SecretError && !error.message.includes('pa55word'));
      await refusesSecret(store.add({ name: 'eve', secrets: ['pa55word'] }));
      const phone = { name: 'phone', secrets: ['$argon2id$pa55word'] };
      await refusesSecret(store.add({ name: 'eve', secrets: [HASH], appPasswords: [phone] }));
      assert.equal(await find(store, 'eve'), undefined);
      await refusesSecret(store.update('joe', (user) => ({ ...user, secrets: [HASH, 'pa55word'] })));
      assert.deepEqual((await find(store, 'joe'))?.secrets, [HASH]);
    },

    async 'adds many users, and reports the progress'(store) {
      const progress: number[] = [];
      assert.deepEqual(await store.addAll(someUsers(2_500), (stored) => progress.push(stored)), []);
      assert.equal(progress.at(-1), 2_500);
      assert.deepEqual(
        progress,
        progress.toSorted((a, b) => a - b),
      );
      assert.equal((await find(store, 'user0'))?.name, 'user0');
      assert.equal((await find(store, 'user2499'))?.name, 'user2499');
    },

    async 'adds many users of an async iterable, and returns the names that exist'(store) {
      async function* users(): AsyncGenerator<UserRecord> {
        yield { name: 'JOE', secrets: [SCRAM] };
        yield { name: 'bob', secrets: [HASH] };
        yield { name: 'Bob', secrets: [SCRAM] };
        yield { name: 'eve', secrets: [HASH] };
      }
      const progress: number[] = [];
      assert.deepEqual(await store.addAll(users(), (stored) => progress.push(stored)), ['JOE', 'Bob']);
      assert.equal(progress.at(-1), 2);
      for (const name of ['joe', 'bob', 'eve']) assert.deepEqual((await find(store, name))?.secrets, [HASH]);
    },

    async 'rejects with the error of the iterable, and works on'(store) {
      const error = new Error('line 3 is malformed');
      function* users(): Generator<UserRecord> {
        yield { name: 'bob', secrets: [HASH] };
        throw error;
      }
      await assert.rejects(store.addAll(users()), error);
      await store.add({ name: 'eve', secrets: [HASH] });
      assert.equal((await find(store, 'eve'))?.name, 'eve');
    },

    async 'removes a user, whose name is then free'(store) {
      await store.remove('JOE');
      assert.equal(await find(store, 'joe'), undefined);
      assert.equal((await find(store, 'ann'))?.name, 'Ann');
      await store.add({ name: 'Joe', secrets: [SCRAM] });
      assert.equal((await find(store, 'joe'))?.name, 'Joe');
    },

    async 'rejects the removal of an unknown user'(store) {
      for (const name of ['eve', '', '\0', "' OR '1'='1"]) await assert.rejects(store.remove(name), UnknownUser);
      assert.equal((await find(store, 'joe'))?.name, 'joe');
    },
  };
}

function updateRules(): Rules {
  return {
    async 'updates every part of a user, and removes every part'(store) {
      const full = fullUser('Joe');
      await store.update('JOE', () => full);
      assert.deepEqual(await find(store, 'joe'), full);
      await store.update('joe', ({ name }) => ({ name, secrets: [] }));
      const user = await find(store, 'joe');
      assert.deepEqual([user?.secrets, user?.enabled ?? true, user?.mustChangePassword ?? false], [[], true, false]);
      assert.deepEqual([user?.expires, user?.scopes, user?.totp], [undefined, undefined, undefined]);
      assert.deepEqual(user?.appPasswords ?? [], []);
      assert.deepEqual((await find(store, 'ann'))?.secrets, [HASH]);
    },

    async 'passes the stored record to `change`, and keeps it if `change` returns undefined'(store) {
      let seen: UserRecord | undefined;
      await store.update('joe', (user) => {
        seen = user;
        return undefined;
      });
      assert.deepEqual([seen?.name, seen?.secrets], ['joe', [HASH]]);
      assert.deepEqual((await find(store, 'joe'))?.secrets, [HASH]);
    },

    async 'keeps the user if `change` throws, and rejects with the error'(store) {
      const error = new Error('the step was used');
      const failing = store.update('joe', () => {
        throw error;
      });
      const other = store.update('ann', (user) => ({ ...user, scopes: ['smtp'] }));
      await assert.rejects(failing, error);
      await other;
      assert.deepEqual((await find(store, 'joe'))?.secrets, [HASH]);
      assert.deepEqual((await find(store, 'ann'))?.scopes, ['smtp']);
    },

    async 'rejects the update of an unknown user without a call of `change`'(store) {
      const change = (): never => assert.fail('change was called');
      for (const name of ['eve', '', '\0']) await assert.rejects(store.update(name, change), UnknownUser);
    },

    async 'rejects an update that renames the user or cannot be stored'(store) {
      await assert.rejects(
        store.update('joe', (user) => ({ ...user, name: 'eve' })),
        TypeError,
      );
      await assert.rejects(
        store.update('joe', (user) => ({ ...user, secrets: ['\0'] })),
        TypeError,
      );
      assert.deepEqual((await find(store, 'joe'))?.secrets, [HASH]);
      assert.equal(await find(store, 'eve'), undefined);
    },

    async 'loses no update of many at the same time'(store) {
      await store.update('joe', (user) => ({ ...user, totp: { secret: 'JBSWY3DPEHPK3PXP', lastStep: 0 } }));
      const increment = (user: UserRecord): UserRecord | undefined =>
        user.totp && { ...user, totp: { ...user.totp, lastStep: (user.totp.lastStep ?? 0) + 1 } };
      await Promise.all(Array.from({ length: 50 }, () => store.update('joe', increment)));
      assert.equal((await find(store, 'joe'))?.totp?.lastStep, 50);
    },
  };
}

function listRules(): Rules {
  return {
    async 'lists all users in the order of their canonical names'(store) {
      await store.addAll(['Zoë', 'bob', 'Élan', 'BEN', 'b', 'Übel'].map((name) => ({ name, secrets: [HASH] })));
      const names = [];
      for await (const { name } of store.list()) names.push(name);
      assert.deepEqual(names, ['Ann', 'b', 'BEN', 'bob', 'joe', 'Zoë', 'Élan', 'Übel']);
    },

    async 'lists each of many users once while they are updated'(store) {
      await store.addAll(someUsers(1_200));
      const seen = new Set<string>();
      for await (const { name } of store.list()) {
        assert.ok(!seen.has(name), `${name} is listed twice`);
        seen.add(name);
        if (seen.size % 100 === 0) await store.update(name, (user) => ({ ...user, mustChangePassword: true }));
      }
      assert.equal(seen.size, 1_202);
    },

    async 'works on after a list that the caller leaves'(store) {
      await store.addAll(someUsers(1_200));
      for (let n = 0; n < 30; n++) {
        for await (const { name } of store.list()) {
          assert.equal(name, 'Ann');
          break;
        }
      }
      await store.remove('ann');
      assert.equal(await find(store, 'ann'), undefined);
    },
  };
}

function* someUsers(count: number): Generator<UserRecord> {
  for (let n = 0; n < count; n++) yield { name: `user${n}`, secrets: [HASH] };
}

const joe: UserRecord = { name: 'joe', secrets: [HASH] };
const ann: UserRecord = { name: 'Ann', secrets: [HASH] };
