import { printable } from '@postern/esmtp';
import { UsageError } from '../errors.ts';
import { findUser } from './find-user.ts';
import type { UserArguments, UserContext } from './user-context.ts';

/** Removes a user, after a question at the terminal. */
export async function removeUser(
  { names: [name = ''], options }: UserArguments<'remove'>,
  context: UserContext,
): Promise<number> {
  if (options.yes !== true && !context.terminal.isInteractive) {
    throw new UsageError('--yes: expected where no terminal can answer');
  }
  const user = await findUser(name, context);
  if (options.yes !== true) {
    const answer = await context.terminal.ask(`Remove ${printable(user.name)} from ${context.databaseName}? [y/N] `);
    if (!/^y(es)?$/i.test(answer?.trim() ?? '')) {
      await context.warn('nothing has changed\n');
      return 1;
    }
  }
  const database = await context.open();
  await database.remove(user.name);
  await context.print(`removed ${printable(user.name)}\n`);
  return 0;
}
