import { closeSync, copyFileSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Clock } from '@postern/core';
import { PasswordProof, TemporaryFailure, UsernamePassword } from '@postern/cred';
import { type BreakableUserStore, FakeClock, userStoreContract } from '@postern/testing';
import { type UserRecord, UserStoreError } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';
import { describe, expect, it } from 'vitest';
import { testContract } from '../support/contract.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a SqliteUserStore', () => {
  testContract(
    userStoreContract({
      make: (users) => makeStore(users),
      hasInterfaces: true,
      isDatabase: true,
      faults: [
        { name: 'another process locks a file without a WAL', make: makeLockable },
        { name: 'the file is overwritten', make: makeDamageable },
        { name: 'another program drops the table', make: makeDroppable },
      ],
    }),
  );
});

describe('a SqliteUserStore whose file another process locks', () => {
  it('rejects a write with a temporary failure after `busyTimeout` milliseconds', async () => {
    const clock = new FakeClock();
    await using tested = await makeStore([joe], { clock, busyTimeout: 1_000 });
    using other = lock(tested.path);
    const failed = expect(tested.store.remove('joe')).rejects.toThrow(TemporaryFailure);
    await clock.advance(1_100);
    await failed;
    other.unlock();
    await tested.store.remove('joe');
    expect(await tested.store.find('joe')).toBeUndefined();
  });

  it('writes once the other process has released the lock', async () => {
    const clock = new FakeClock();
    await using tested = await makeStore([joe], { clock, busyTimeout: 1_000 });
    using other = lock(tested.path);
    const results = Promise.allSettled([
      tested.store.add({ name: 'ann', secrets: [] }),
      tested.store.update('joe', (user) => ({ ...user, scopes: ['smtp'] })),
      tested.store.add({ name: 'JOE', secrets: [] }),
    ]);
    await clock.advance(500);
    expect(await tested.store.find('joe')).toEqual(joe);
    other.unlock();
    await clock.advance(100);
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(await tested.store.find('joe')).toEqual({ ...joe, scopes: ['smtp'] });
  });

  it('ends a write that waits before it closes', async () => {
    const clock = new FakeClock();
    await using tested = await makeStore([joe], { clock, busyTimeout: 1_000 });
    using other = lock(tested.path);
    const removed = tested.store.remove('joe');
    const closed = tested.store[Symbol.asyncDispose]();
    await expect(tested.store.remove('joe')).rejects.toThrow('is closed');
    await clock.advance(100);
    other.unlock();
    await clock.advance(100);
    await Promise.all([removed, closed]);
    expect(() => tested.store.find('joe')).toThrow(`the user database ${tested.path} is closed`);
    await expect(tested.store.list().next()).rejects.toThrow('is closed');
  });
});

describe('a SqliteUserStore', () => {
  it('shows the edits of another process in `credentialInterfaces` within a second', async () => {
    const clock = new FakeClock();
    await using tested = await makeStore([joe], { clock });
    await using other = await SqliteUserStore.open(tested.path);
    const before = tested.store.credentialInterfaces;
    expect(before).toEqual([PasswordProof]);
    await other.add({ name: 'ann', secrets: ['{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g='] });
    expect(tested.store.credentialInterfaces).toBe(before);
    await clock.advance(1_000);
    expect(tested.store.credentialInterfaces).toEqual([UsernamePassword]);
  });

  it('keeps `credentialInterfaces` while the database cannot be read', async () => {
    const clock = new FakeClock();
    await using tested = await makeStore([joe], { clock });
    expect(tested.store.credentialInterfaces).toEqual([PasswordProof]);
    const other = new DatabaseSync(tested.path);
    other.exec('ALTER TABLE users RENAME TO people');
    await clock.advance(1_000);
    expect(tested.store.credentialInterfaces).toEqual([PasswordProof]);
    other.exec('ALTER TABLE people RENAME TO users');
    other.close();
  });

  it('has no secret in the error of a row that is no JSON', async () => {
    await using tested = await makeStore([joe]);
    const other = new DatabaseSync(tested.path);
    other.exec("UPDATE users SET secrets = '{PLAIN}s3cret'");
    other.close();
    const error = await Promise.resolve()
      .then(() => tested.store.find('joe'))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserStoreError);
    expect(inspect(error)).toContain('has a malformed row of "joe": expected JSON in secrets');
    expect(inspect(error)).not.toContain('s3cret');
  });

  it.each([
    ['secrets', '"{PLAIN}s3cret"', 'secrets: expected a list of texts'],
    ['secrets', '[5]', 'secrets: expected a list of texts'],
    ['secrets', 'null', 'expected JSON'],
    ['scopes', '"smtps"', 'scopes: expected a list of texts'],
    ['scopes', 'null', 'expected JSON'],
    ['totp', 'null', 'expected JSON'],
    ['totp', '{"secret":5}', 'totp: expected a record with a secret'],
    ['app_passwords', '{}', 'expected JSON'],
    ['app_passwords', '[5]', 'appPasswords: secrets: expected a list of texts'],
    [
      'app_passwords',
      '[{"name":"phone","secrets":"{PLAIN}s3cret"}]',
      'appPasswords: secrets: expected a list of texts',
    ],
    ['app_passwords', '[{"name":"phone","secrets":[],"expires":"soon"}]', 'expected JSON'],
    ['expires', 9e15, 'expected JSON'],
  ])('rejects a look-up of a row with %s %j', async (column, value, fault) => {
    await using tested = await makeStore([joe]);
    const other = new DatabaseSync(tested.path);
    other.prepare(`UPDATE users SET ${column} = ?`).run(value);
    other.close();
    const find = async () => tested.store.find('joe');
    const message = `the user database ${tested.path} has a malformed row of "joe": ${fault}`;
    await expect(find()).rejects.toThrow(message);
    await expect(find()).rejects.toThrow(UserStoreError);
    await expect(find()).rejects.not.toThrow('s3cret');
  });
});

describe('a SqliteUserStore whose file is no longer at its path', () => {
  const ann = { name: 'ann', secrets: [] };

  it.each([
    ['deleted', rmSync],
    ['replaced', (path: string) => copyFileSync(path, `${path}.new`) ?? renameSync(`${path}.new`, path)],
  ])('fails within a second, and works again when the file is back: %s', async (_how, lose) => {
    const clock = new FakeClock();
    await using tested = await makeStore([joe], { clock });
    linkSync(tested.path, `${tested.path}.old`);
    lose(tested.path);
    await clock.advance(1_000);
    const lost = `the user database ${tested.path} has been replaced or deleted while it is open`;
    await expect((async () => tested.store.find('joe'))()).rejects.toThrow(lost);
    await expect(tested.store.add(ann)).rejects.toThrow(UserStoreError);
    await expect(tested.store.list().next()).rejects.toThrow(lost);
    renameSync(`${tested.path}.old`, tested.path);
    await tested.store.add(ann);
    expect(await tested.store.find('ann')).toEqual(ann);
  });
});

describe('a SqliteUserStore after several reads in one turn of the event loop', () => {
  const readThrice = (store: SqliteUserStore): unknown[] => ['joe', 'ann', 'joe'].map((name) => store.find(name));

  it('shows the edits of another process on the next turn', async () => {
    await using tested = await makeStore([joe]);
    const other = new DatabaseSync(tested.path);
    expect(readThrice(tested.store)).toEqual([joe, undefined, joe]);
    other.exec("UPDATE users SET enabled = 0 WHERE name = 'joe'");
    other.close();
    await setImmediate();
    const disabled = { ...joe, enabled: false };
    expect(readThrice(tested.store)).toEqual([disabled, undefined, disabled]);
  });

  it('stores edits, and shows the own ones at once', async () => {
    await using tested = await makeStore([joe]);
    readThrice(tested.store);
    const added = tested.store.add({ name: 'ann', secrets: [] });
    readThrice(tested.store);
    await added;
    expect(readThrice(tested.store)).toEqual([joe, { name: 'ann', secrets: [] }, joe]);
    await tested.store.update('joe', (user) => {
      expect(readThrice(tested.store)[0]).toEqual(joe);
      return { ...user, enabled: false };
    });
    expect(readThrice(tested.store)[0]).toEqual({ ...joe, enabled: false });
  });

  it('keeps no lock that would stop a checkpoint of another process', async () => {
    await using tested = await makeStore([joe]);
    const other = new DatabaseSync(tested.path);
    const checkpoint = (): unknown => other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    readThrice(tested.store);
    other.exec('UPDATE users SET enabled = 1');
    expect(checkpoint()).toMatchObject({ busy: 1 });
    await setImmediate();
    expect(checkpoint()).toMatchObject({ busy: 0 });
    other.close();
  });

  it('closes at once', async () => {
    await using tested = await makeStore([joe]);
    readThrice(tested.store);
    await tested.store[Symbol.asyncDispose]();
    expect(() => tested.store.find('joe')).toThrow('is closed');
    await setImmediate();
  });
});

const joe: UserRecord = { name: 'joe', secrets: ['{PLAIN}s3cret'] };

/** Holds the lock of a writer, as another process does. */
function lock(path: string): Disposable & { unlock(): void } {
  const database = new DatabaseSync(path);
  database.exec('BEGIN IMMEDIATE');
  return { unlock: () => database.exec('COMMIT'), [Symbol.dispose]: () => database.close() };
}

interface SqliteUnderTest extends AsyncDisposable {
  readonly store: SqliteUserStore;
  readonly path: string;
  readonly dispose: () => Promise<void>;
}

async function makeStore(
  users: readonly UserRecord[],
  options: { clock?: Clock; busyTimeout?: number } = {},
): Promise<SqliteUnderTest> {
  const folder = temporaryFolder('sqlite');
  const path = join(folder.path, 'users.db');
  const store = await SqliteUserStore.open(path, options);
  await store.addAll(users);
  const dispose = async (): Promise<void> => {
    await store[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  };
  return { store, path, dispose, [Symbol.asyncDispose]: dispose };
}

/** Readers of a WAL meet no lock, and a store that is open for reading keeps the file as it is. */
async function makeLockable(users: readonly UserRecord[]): Promise<BreakableUserStore> {
  const { store: writer, path, dispose } = await makeStore(users);
  await writer[Symbol.asyncDispose]();
  const other = new DatabaseSync(path);
  other.exec('PRAGMA journal_mode = DELETE');
  const store = await SqliteUserStore.open(path, { readOnly: true, busyTimeout: 50 });
  return {
    store,
    breakDown: () => other.exec('BEGIN EXCLUSIVE'),
    restore: () => other.exec('COMMIT'),
    async dispose() {
      other.close();
      await store[Symbol.asyncDispose]();
      await dispose();
    },
  };
}

async function makeDamageable(users: readonly UserRecord[]): Promise<BreakableUserStore> {
  const { store, path, dispose } = await makeStore(users);
  return {
    store,
    breakDown() {
      const other = new DatabaseSync(path);
      // A change by another connection empties the page cache of the store.
      other.exec('UPDATE users SET enabled = 1; PRAGMA wal_checkpoint(TRUNCATE)');
      other.close();
      const file = openSync(path, 'r+');
      writeSync(file, Buffer.alloc(12_288, 0x5a), 0, 12_288, 4096);
      closeSync(file);
    },
    dispose,
  };
}

async function makeDroppable(users: readonly UserRecord[]): Promise<BreakableUserStore> {
  const { store, path, dispose } = await makeStore(users);
  const other = new DatabaseSync(path);
  return {
    store,
    breakDown: () => other.exec('ALTER TABLE users RENAME TO people'),
    restore: () => other.exec('ALTER TABLE people RENAME TO users'),
    async dispose() {
      other.close();
      await dispose();
    },
  };
}
