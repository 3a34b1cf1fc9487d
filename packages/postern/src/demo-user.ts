import { randomBytes } from 'node:crypto';
import type { UserDatabase } from '@postern/users';
import { messageOf, StartError } from './errors.ts';
import type { DemoUser, Settings } from './settings.ts';
import { loadCrypt } from './user-store-spec.ts';
import { policyOf } from './users-options.ts';

/**
 * Adds the user `demo` to the default database if the settings ask for it and the database has no
 * users. Creates the database if it does not exist. Resolves to the user, whose password cannot be
 * read later, or to undefined if there is nothing to add.
 *
 * @throws StartError
 */
export async function addDemoUser({ defaultDatabase, keepsDemoUser, users }: Settings): Promise<DemoUser | undefined> {
  if (defaultDatabase === undefined || !keepsDemoUser) return undefined;
  const { defaultPolicy, HashQueue, hashPassword, isUserDatabase, UserExists } = await import('@postern/users');
  const { name } = defaultDatabase;
  const database = await defaultDatabase.open({ crypt: await loadCrypt(), onError: () => {} });
  await using queue = new HashQueue();
  try {
    if (!isUserDatabase(database)) throw new StartError(`${name}: expected sqlite:PATH for --demo`);
    if (!(await isEmpty(database))) return undefined;
    const demoUser = { username: 'demo', password: randomBytes(12).toString('base64url') };
    const policy = { ...defaultPolicy, ...policyOf(users) };
    await database.add({ name: demoUser.username, secrets: await hashPassword(demoUser.password, { queue, policy }) });
    return demoUser;
  } catch (error) {
    // Another server that starts at the same time was first.
    if (error instanceof UserExists) return undefined;
    if (error instanceof StartError) throw error;
    throw new StartError(`cannot add a user to ${name}: ${messageOf(error)}`, { cause: error });
  } finally {
    await database[Symbol.asyncDispose]?.();
  }
}

async function isEmpty(database: UserDatabase): Promise<boolean> {
  for await (const _user of database.list()) return false;
  return true;
}
