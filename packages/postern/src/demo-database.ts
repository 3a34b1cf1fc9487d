import { randomBytes } from 'node:crypto';
import { databaseExists } from './default-database.ts';
import { messageOf, StartError } from './errors.ts';
import type { DemoUser, Settings } from './settings.ts';
import { loadCrypt } from './user-store-spec.ts';
import { policyOf } from './users-options.ts';

/**
 * Creates the default database with the user `demo`, if the settings use the database and it does
 * not exist. Resolves to the user, whose password the database does not reveal later. Resolves to
 * undefined if there is nothing to create.
 *
 * @throws StartError
 */
export async function createDemoDatabase({ defaultDatabase, users }: Settings): Promise<DemoUser | undefined> {
  if (defaultDatabase === undefined || databaseExists(defaultDatabase)) return undefined;
  const { defaultPolicy, HashQueue, hashPassword, isUserDatabase, UserExists } = await import('@postern/users');
  const demoUser = { username: 'demo', password: randomBytes(12).toString('base64url') };
  const { name } = defaultDatabase;
  const policy = { ...defaultPolicy, ...policyOf(users) };
  const database = await defaultDatabase.open({ crypt: await loadCrypt(), onError: () => {} });
  await using queue = new HashQueue();
  try {
    if (!isUserDatabase(database)) throw new StartError(`cannot create ${name}: expected sqlite:PATH`);
    await database.add({ name: demoUser.username, secrets: await hashPassword(demoUser.password, { queue, policy }) });
    return demoUser;
  } catch (error) {
    // Another start of the same moment was first.
    if (error instanceof UserExists) return undefined;
    throw error instanceof StartError
      ? error
      : new StartError(`cannot create ${name}: ${messageOf(error)}`, { cause: error });
  } finally {
    await database[Symbol.asyncDispose]?.();
  }
}
