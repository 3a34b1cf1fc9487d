import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inspect } from 'node:util';
import { isUserDatabase, UserStoreError } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { MIGRATIONS, migrate } from '../../packages/users/src/sqlite/schema.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const folder = temporaryFolder('sqlite-open');
afterAll(() => folder[Symbol.dispose]());
let files = 0;
const newPath = () => join(folder.path, `${files++}.db`);

describe('SqliteUserStore.open', () => {
  it('creates files that only their owner can read', async () => {
    const path = newPath();
    await using store = await SqliteUserStore.open(path);
    await store.add({ name: 'joe', secrets: [] });
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
  });

  it('keeps the mode of a file that exists', async () => {
    const path = newPath();
    await (await SqliteUserStore.open(path))[Symbol.asyncDispose]();
    chmodSync(path, 0o640);
    await using store = await SqliteUserStore.open(path);
    await store.add({ name: 'joe', secrets: [] });
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it('creates the server key of SCRAM once, for all processes', async () => {
    const path = newPath();
    const stores = await Promise.all(Array.from({ length: 5 }, () => SqliteUserStore.open(path)));
    const keys = stores.map(({ scramKey }) => Buffer.from(scramKey).toString('hex'));
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(keys).size).toBe(1);
    await using other = await SqliteUserStore.open(newPath());
    expect(Buffer.from(other.scramKey).toString('hex')).not.toBe(keys[0]);
    await using reader = await SqliteUserStore.open(path, { readOnly: true });
    expect(reader.scramKey).toEqual(stores[0]?.scramKey);
    expect(inspect(stores[0], { depth: 5, showHidden: true })).not.toContain('scramKey: ');
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
  });

  it('refuses a database without the server key of SCRAM', async () => {
    const path = newPath();
    await (await SqliteUserStore.open(path))[Symbol.asyncDispose]();
    const database = new DatabaseSync(path);
    database.exec('DELETE FROM keys');
    database.close();
    await expect(SqliteUserStore.open(path)).rejects.toThrow('has no SCRAM key: restore the table `keys` from a copy');
  });

  it('names a table that is missing', async () => {
    const path = newPath();
    await (await SqliteUserStore.open(path))[Symbol.asyncDispose]();
    sql(path, 'DROP TABLE keys');
    await expect(SqliteUserStore.open(path)).rejects.toThrow(/ cannot be used: .* no such table: keys$/);
  });

  it('opens a database that is open for reading elsewhere, and shows later changes', async () => {
    const path = newPath();
    await using writer = await SqliteUserStore.open(path);
    await using reader = await SqliteUserStore.open(path, { readOnly: true });
    expect(isUserDatabase(reader)).toBe(false);
    expect(reader.update).toBeUndefined();
    await writer.add({ name: 'joe', secrets: ['{PLAIN}s3cret'] });
    expect(await reader.find('JOE', new AbortController().signal)).toMatchObject({ name: 'joe' });
    const names = [];
    for await (const { name } of reader.list()) names.push(name);
    expect(names).toEqual(['joe']);
  });

  it.each<readonly [string, (path: string) => unknown, boolean, RegExp]>([
    ['a missing directory', (path) => join(path, 'users.db'), false, /: there is no directory .*\.db$/],
    ['a directory', (path) => mkdirSync(path), false, /is a directory: name a file in it$/],
    ['a missing file for reading', () => {}, true, /: there is no such file$/],
    [
      'a text file',
      (path) => writeFileSync(path, 'joe:secret\n'.repeat(100)),
      false,
      /: the file is no SQLite database$/,
    ],
    [
      'a text file for reading',
      (path) => writeFileSync(path, 'joe:x\n'.repeat(100)),
      true,
      /: the file is no SQLite data/,
    ],
    [
      'a database of another program',
      (path) => sql(path, 'CREATE TABLE t (a)'),
      false,
      /is an SQLite database of another program: name a file of its own for the users$/,
    ],
    ['an empty database for reading', (path) => sql(path, ''), true, /version 0 .* open it once without `readOnly`$/],
  ])('refuses %s, and says what is wrong', async (_title, prepare, readOnly, message) => {
    const path = newPath();
    const prepared = prepare(path);
    const opened = typeof prepared === 'string' ? prepared : path;
    const before = contentOf(opened);
    const error = await SqliteUserStore.open(opened, { readOnly: readOnly as false }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserStoreError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain(opened);
    expect(contentOf(opened)).toEqual(before);
  });

  it('refuses a file that this user cannot write', async () => {
    const path = newPath();
    await (await SqliteUserStore.open(path))[Symbol.asyncDispose]();
    chmodSync(path, 0o400);
    // Root may write every file, but creates none in /proc.
    const unwritable = process.getuid?.() === 0 ? '/proc/users.db' : path;
    await expect(SqliteUserStore.open(unwritable)).rejects.toThrow('this user may not write the file');
    await using reader = await SqliteUserStore.open(path, { readOnly: true });
    expect(reader.find('joe', new AbortController().signal)).toBeUndefined();
  });
});

describe('a migration', () => {
  it('brings the tables of an older version to those of the newer one', async () => {
    const path = newPath();
    await using old = await SqliteUserStore.open(path);
    await old.add({ name: 'joe', secrets: ['{PLAIN}s3cret'] });
    const database = new DatabaseSync(path, { returnArrays: true });
    migrate(database, path, [...MIGRATIONS, 'ALTER TABLE users ADD COLUMN note TEXT']);
    migrate(database, path, [...MIGRATIONS, 'ALTER TABLE users ADD COLUMN note TEXT']);
    expect(database.prepare('SELECT name, note FROM users').all()).toEqual([['joe', null]]);
    database.close();
    expect(await old.find('joe')).toMatchObject({ name: 'joe' });
    await expect(SqliteUserStore.open(path)).rejects.toThrow(
      `has version 2 of the tables, and this program knows 1: use the newer program`,
    );
  });

  it('changes nothing if a step fails', async () => {
    const path = newPath();
    await (await SqliteUserStore.open(path))[Symbol.asyncDispose]();
    const database = new DatabaseSync(path, { returnArrays: true });
    const steps = [...MIGRATIONS, 'ALTER TABLE users ADD COLUMN note TEXT', 'no SQL'];
    expect(() => migrate(database, path, steps)).toThrow('syntax error');
    database.close();
    await using store = await SqliteUserStore.open(path);
    expect(await store.find('joe')).toBeUndefined();
  });
});

function sql(path: string, statements: string): void {
  const database = new DatabaseSync(path);
  database.exec(statements);
  database.close();
}

function contentOf(path: string): Buffer | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path) : undefined;
}
