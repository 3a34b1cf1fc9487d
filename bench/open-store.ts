import { PostgresUserStore } from '@postern/postgres';
import { InMemoryUserStore, type UserDatabase } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';
import { userRecords } from './user-records.ts';

/** Opens the store that a server is measured with: memory:COUNT, sqlite:PATH or postgres://URL. */
export async function openStore(spec: string): Promise<UserDatabase> {
  const [, kind, place = ''] = /^(\w+):(.*)$/.exec(spec) ?? [];
  switch (kind) {
    case 'memory':
      return new InMemoryUserStore(userRecords(Number(place)));
    case 'sqlite':
      return SqliteUserStore.open(place);
    case 'postgres':
      return PostgresUserStore.open(spec);
    default:
      throw new Error(`expected memory:COUNT, sqlite:PATH or postgres://URL, not ${spec}`);
  }
}
