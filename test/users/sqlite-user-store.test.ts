import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type BreakableUserStore, userStoreContract } from '@postern/testing';
import type { UserRecord } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';
import { describe, expect, it } from 'vitest';
import { testContract } from '../support/contract.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a SqliteUserStore', () => {
  testContract(
    userStoreContract({
      make,
      hasInterfaces: true,
      isDatabase: true,
      faults: [
        {
          name: 'another process locks the file',
          make: async (users) => {
            return make(users);
          },
        },
      ],
    }),
  );
});

async function make(users: readonly UserRecord[]): Promise<BreakableUserStore> {
  const folder = temporaryFolder('sqlite');
  const path = join(folder.path, 'users.db');
  const store = await SqliteUserStore.open(path, { busyTimeout: 100 });
  await store.addAll(users);
  let lock: DatabaseSync | undefined;
  return {
    store,
    async dispose() {
      await store[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
    breakDown() {
      lock = new DatabaseSync(path);
      lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    },
    restore: () => lock?.close(),
  };
}
