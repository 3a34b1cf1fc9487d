import { join } from 'node:path';
import { SqliteUserStore } from '@postern/users/sqlite';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { SqliteWriter } from './sqlite-writer-process.ts';

const COUNT = 60;

test('two processes create one database, and neither loses a write', async () => {
  using folder = temporaryFolder('sqlite');
  const path = join(folder.path, 'users.db');
  await using first = new SqliteWriter(path, 'a', 'count', COUNT);
  await using second = new SqliteWriter(path, 'b', 'count', COUNT);
  await Promise.all([first.ready(), second.ready()]);
  await Promise.all([first.write(), second.write()]);
  expect([first.error, second.error]).toEqual([undefined, undefined]);

  await using store = await SqliteUserStore.open(path);
  expect(await store.find('counter')).toMatchObject({ totp: { lastStep: 2 * COUNT } });
  const names = [];
  for await (const { name } of store.list()) names.push(name);
  expect(names.toSorted()).toEqual([...first.names, ...second.names, 'counter'].toSorted());
});
