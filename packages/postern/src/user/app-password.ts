import { printable } from '@postern/esmtp';
import { generateAppPassword } from '@postern/users';
import { CommandError, UsageError } from '../errors.ts';
import { jsonLine } from '../json-line.ts';
import { suggestion } from '../suggest.ts';
import { findUser, updateUser } from './find-user.ts';
import { restrictionsOf, withRestrictions } from './restrictions.ts';
import { textTable } from './text-table.ts';
import type { UserArguments, UserContext } from './user-context.ts';
import { appPasswordViewOf, listText } from './user-view.ts';

/** Makes a random password for one program, and prints it: the database holds only its hash. */
export async function addAppPassword(
  { names: [name = '', label = ''], options }: UserArguments<'app-password add'>,
  context: UserContext,
): Promise<number> {
  if (label.trim() === '' || Buffer.byteLength(label) > MAX_LABEL_OCTETS) {
    throw new UsageError(
      `LABEL: expected a name for the password, such as phone, of at most ${MAX_LABEL_OCTETS} octets`,
    );
  }
  const restrictions = restrictionsOf(options);
  const { password, record } = generateAppPassword(label);
  const added = withRestrictions(record, restrictions);
  let exists = false;
  const { name: stored } = await updateUser(
    name,
    (user) => {
      const appPasswords = user.appPasswords ?? [];
      exists = appPasswords.some((other) => other.name === label);
      return exists ? undefined : { ...user, appPasswords: [...appPasswords, added] };
    },
    context,
  );
  if (exists) {
    throw new CommandError(
      `${JSON.stringify(stored)} has an application password ${JSON.stringify(label)} already: expected another name, ` +
        'or postern user app-password remove first',
    );
  }
  await context.print(`added the application password ${printable(label)} of ${printable(stored)}\n`);
  await context.print(`The password is ${password}\nIt cannot be shown again.\n`);
  return 0;
}

/** Prints the application passwords of a user, without secrets. */
export async function listAppPasswords(
  { names: [name = ''], options }: UserArguments<'app-password list'>,
  context: UserContext,
): Promise<number> {
  const user = await findUser(name, context, await context.openToRead());
  const views = (user.appPasswords ?? []).map((password) => appPasswordViewOf(password, context));
  if (options.json === true) {
    await context.print(views.map((view) => jsonLine(view)).join(''));
    return 0;
  }
  async function* rows(): AsyncGenerator<readonly string[]> {
    for (const { name: label, scopes, expires, lastUsed } of views) {
      yield [printable(label), listText(scopes, "the user's"), expires ?? 'never', lastUsed ?? 'never'];
    }
  }
  for await (const block of textTable(['LABEL', 'SCOPES', 'EXPIRES', 'LAST USED'], rows())) await context.print(block);
  return 0;
}

/** Removes an application password: the program that has it cannot log in any more. */
export async function removeAppPassword(
  { names: [name = '', label = ''] }: UserArguments<'app-password remove'>,
  context: UserContext,
): Promise<number> {
  let labels: readonly string[] = [];
  const user = await updateUser(
    name,
    (stored) => {
      const appPasswords = stored.appPasswords ?? [];
      labels = appPasswords.map((password) => password.name);
      return { ...stored, appPasswords: appPasswords.filter((password) => password.name !== label) };
    },
    context,
  );
  if (!labels.includes(label)) {
    const known = labels.length === 0 ? 'there are no passwords' : `there is ${labels.map(printable).join(', ')}`;
    throw new CommandError(
      `${JSON.stringify(user.name)} has no application password ${JSON.stringify(label)}; ${known}${suggestion(label, labels)}`,
    );
  }
  await context.print(`removed the application password ${printable(label)} of ${printable(user.name)}\n`);
  return 0;
}

const MAX_LABEL_OCTETS = 128;
