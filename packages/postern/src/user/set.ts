import { printable } from '@postern/esmtp';
import { UsageError } from '../errors.ts';
import { updateUser } from './find-user.ts';
import { type RestrictionChanges, restrictionsOf, withRestrictions } from './restrictions.ts';
import type { UserArguments, UserContext } from './user-context.ts';

/** Changes when, and in which protocols, a user may log in. */
export async function setUser(
  { names: [name = ''], options }: UserArguments<'set'>,
  context: UserContext,
): Promise<number> {
  if (options['must-change'] && options['no-must-change']) {
    throw new UsageError('--must-change: expected it without --no-must-change');
  }
  const changes: RestrictionChanges = {
    ...restrictionsOf(options),
    ...((options['must-change'] ?? options['no-must-change']) && {
      mustChangePassword: options['must-change'] === true,
    }),
  };
  if (Object.keys(changes).length === 0) {
    throw new UsageError('expected --expires, --scopes, --must-change or --no-must-change');
  }
  const user = await updateUser(name, (stored) => withRestrictions(stored, changes), context);
  await context.print(`changed ${printable(user.name)}\n`);
  return 0;
}
