import { printable } from '@postern/esmtp';
import { findUser, updateUser } from './find-user.ts';
import { newPassword } from './new-password.ts';
import { withRestrictions } from './restrictions.ts';
import type { UserArguments, UserContext } from './user-context.ts';

/** Sets a new password. Application passwords and the second factor stay as they are. */
export async function setPassword(
  { names: [name = ''], options }: UserArguments<'password'>,
  context: UserContext,
): Promise<number> {
  const user = await findUser(name, context);
  const { password, announcement } = await newPassword(user.name, options, context);
  const secrets = await context.hashPassword(password);
  const mustChangePassword = options['must-change'] === true;
  await updateUser(name, (stored) => withRestrictions({ ...stored, secrets }, { mustChangePassword }), context);
  await context.print(`set the password of ${printable(user.name)}\n${announcement}`);
  return 0;
}
