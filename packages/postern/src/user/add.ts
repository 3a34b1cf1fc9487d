import { printable } from '@postern/esmtp';
import { UserExists, type UserRecord } from '@postern/users';
import { CommandError } from '../errors.ts';
import { expectNewName, findTimeout } from './find-user.ts';
import { newPassword } from './new-password.ts';
import { restrictionsOf, withRestrictions } from './restrictions.ts';
import type { UserArguments, UserContext } from './user-context.ts';
import { listText, viewOf } from './user-view.ts';

/** Adds a user. When the command prints the name, the user survives a crash. */
export async function addUser(
  { names: [name = ''], options }: UserArguments<'add'>,
  context: UserContext,
): Promise<number> {
  const { databaseName, print } = context;
  expectNewName(name);
  const restrictions = {
    ...restrictionsOf(options),
    ...(options['must-change'] === true && { mustChangePassword: true }),
  };
  const database = await context.open();
  // Before the operator types a password.
  const existing = await database.find(name, findTimeout());
  if (existing !== undefined) throw existsAlready(existing.name, databaseName);
  const { password, announcement } = await newPassword(name, options, context);
  const record: UserRecord = { name, secrets: await context.hashPassword(password) };
  const user = withRestrictions(record, restrictions);
  try {
    await database.add(user);
  } catch (error) {
    if (error instanceof UserExists) throw existsAlready(name, databaseName, error);
    throw error;
  }
  const schemes = listText(viewOf(user, context).schemes, '');
  await print(`added ${printable(name)} (${schemes}) to ${databaseName}\n${announcement}`);
  return 0;
}

function existsAlready(name: string, databaseName: string, cause?: unknown): CommandError {
  return new CommandError(
    `there is a user ${JSON.stringify(name)} in ${databaseName} already; postern user password sets a new password`,
    { cause },
  );
}
