import { printable } from '@postern/esmtp';
import { updateUser } from './find-user.ts';
import type { UserArguments, UserContext } from './user-context.ts';

/** Refuses logins of a user from now on. */
export async function disableUser(
  { names: [name = ''] }: UserArguments<'disable'>,
  context: UserContext,
): Promise<number> {
  const user = await updateUser(name, (stored) => ({ ...stored, enabled: false }), context);
  await context.print(`disabled ${printable(user.name)}\n`);
  return 0;
}

/** Accepts logins of a user again. */
export async function enableUser(
  { names: [name = ''] }: UserArguments<'enable'>,
  context: UserContext,
): Promise<number> {
  const user = await updateUser(name, (stored) => ({ ...stored, enabled: true }), context);
  await context.print(`enabled ${printable(user.name)}\n`);
  if (user.expires !== undefined && user.expires <= new Date()) {
    await context.warn(
      `${printable(user.name)} has expired: postern user set ${printable(user.name)} --expires never\n`,
    );
  }
  return 0;
}
