import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteUserStore } from '@postern/users/sqlite';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { SqliteWriter } from './sqlite-writer-process.ts';

/** The number of kills for each way of writing; `npm run kill` sets 100. */
const TIMES = Number(process.env['KILLS'] ?? 5);

describe('a process that is killed while it writes users', () => {
  it.each(['add', 'addAll'] as const)(
    `keeps each user that it has reported, ${TIMES} times, by %s`,
    { timeout: TIMES * 60_000 },
    async (mode) => {
      using folder = temporaryFolder('sqlite-kill');
      const path = join(folder.path, 'users.db');
      const reported: string[] = [];
      for (let time = 0; time < TIMES; time++) {
        await using writer = new SqliteWriter(path, `u${time}-`, mode, 100_000);
        const kill = randomInt(1, mode === 'add' ? 200 : 5_000);
        writer.onReport = (stored) => {
          if (stored >= kill) writer.kill();
        };
        await writer.ready();
        await writer.write();
        expect(writer.error).toBeUndefined();
        reported.push(...writer.names);
      }
      expect(reported.length).toBeGreaterThan(0);
      expect(await missing(path, reported)).toEqual([]);
    },
  );
});

// RLIMIT_FSIZE fails a write as a full disk does. macOS has no prlimit.
describe.runIf(process.platform === 'linux')('a process whose file cannot grow', () => {
  it('keeps each user that it has reported, and names the fault', async () => {
    using folder = temporaryFolder('sqlite-full');
    const path = join(folder.path, 'users.db');
    await using writer = new SqliteWriter(path, 'u', 'add', 100_000, ['prlimit', '--fsize=400000']);
    await writer.ready();
    await writer.write();
    expect(writer.error).toMatch(/^UserStoreError: the user database .*users\.db cannot be used: the disk/);
    expect(writer.stored).toBeGreaterThan(0);
    expect(await missing(path, writer.names)).toEqual([]);
  });
});

/** Resolves to the names that the database lacks. Expects a database without damage. */
async function missing(path: string, names: readonly string[]): Promise<readonly string[]> {
  const database = new DatabaseSync(path);
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  database.close();
  await using store = await SqliteUserStore.open(path);
  const lost = [];
  for (const name of names) if ((await store.find(name)) === undefined) lost.push(name);
  return lost;
}
