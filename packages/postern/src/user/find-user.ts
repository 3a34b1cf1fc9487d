import { canonicalName, UnknownUser, type UserRecord } from '@postern/users';
import { CommandError, UsageError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import type { ReadableUsers, UserContext } from './user-context.ts';

/**
 * Checks the name of a new user.
 *
 * @throws UsageError for a name that no client can send, or that a file of users cannot hold.
 */
export function expectNewName(name: string): void {
  if (name.includes(':')) {
    throw new UsageError(
      'NAME: expected a name without a colon. A password is no argument, since every user of the machine can read ' +
        'it there: the command asks for it, or reads the standard input',
    );
  }
  expectName(name);
}

/** @throws UsageError for a name that no user can have. */
function expectName(name: string): void {
  if (canonicalName(name) !== undefined) return;
  throw new UsageError('NAME: expected a user name without control characters (RFC 4013), of at most 1024 octets');
}

/**
 * Resolves to the user of this name. `users` are open already, for a command that only reads.
 *
 * @throws CommandError that names a similar user.
 */
export async function findUser(
  name: string,
  context: Pick<UserContext, 'open' | 'databaseName'>,
  users?: ReadableUsers,
): Promise<UserRecord> {
  expectName(name);
  const database = users ?? (await context.open());
  const user = await database.find(name, findTimeout());
  return user ?? (await unknownUser(name, database, context.databaseName));
}

/**
 * Changes a user. Resolves to the user as stored.
 *
 * @throws CommandError if there is no such user.
 */
export async function updateUser(
  name: string,
  change: (user: UserRecord) => UserRecord | undefined,
  context: Pick<UserContext, 'open' | 'databaseName'>,
): Promise<UserRecord> {
  expectName(name);
  const database = await context.open();
  let stored: UserRecord | undefined;
  try {
    await database.update(name, (user) => {
      const changed = change(user);
      stored = changed ?? user;
      return changed;
    });
  } catch (error) {
    if (error instanceof UnknownUser) return await unknownUser(name, database, context.databaseName);
    throw error;
  }
  return stored as UserRecord;
}

/** Returns the signal for a look-up, which ends after 30 seconds. */
export function findTimeout(): AbortSignal {
  return AbortSignal.timeout(FIND_TIMEOUT_MS);
}

/** @throws CommandError */
async function unknownUser(name: string, users: ReadableUsers, databaseName: string): Promise<never> {
  const names: string[] = [];
  for await (const user of users.list()) {
    names.push(user.name);
    if (names.length >= MAX_COMPARED_NAMES) break;
  }
  const hint = names.length === 0 ? '; it has no users yet' : suggestion(name, names);
  throw new CommandError(`there is no user ${JSON.stringify(name)} in ${databaseName}${hint}`);
}

const FIND_TIMEOUT_MS = 30_000;
/** A comparison with this many names takes some tens of milliseconds. */
const MAX_COMPARED_NAMES = 20_000;
