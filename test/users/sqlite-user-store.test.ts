import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type BreakableUserStore, userStoreContract } from '@postern/testing';
import type { UserRecord } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';
import { describe } from 'vitest';
import { testContract } from '../support/contract.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a SqliteUserStore', () => {
  testContract(
    userStoreContract({
      make: makeStore,
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

interface SqliteUnderTest {
  readonly store: SqliteUserStore;
  readonly path: string;
  readonly dispose: () => Promise<void>;
}

async function makeStore(users: readonly UserRecord[]): Promise<SqliteUnderTest> {
  const folder = temporaryFolder('sqlite');
  const path = join(folder.path, 'users.db');
  const store = await SqliteUserStore.open(path);
  await store.addAll(users);
  const dispose = async (): Promise<void> => {
    await store[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  };
  return { store, path, dispose };
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
