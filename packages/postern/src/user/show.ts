import { printable } from '@postern/esmtp';
import { jsonLine } from '../json-line.ts';
import { findUser } from './find-user.ts';
import type { UserArguments, UserContext } from './user-context.ts';
import { type AppPasswordView, listText, viewOf } from './user-view.ts';

/** Prints one user. */
export async function showUser(
  { names: [name = ''], options }: UserArguments<'show'>,
  context: UserContext,
): Promise<number> {
  const view = viewOf(await findUser(name, context, await context.openToRead()), context);
  if (options.json === true) {
    await context.print(jsonLine(view));
    return 0;
  }
  const lines = [
    ['name', printable(view.name)],
    ['state', view.state],
    ['schemes', listText(view.schemes, 'none: the user has no password')],
    ['scopes', listText(view.scopes, 'all')],
    ['expires', view.expires ?? 'never'],
    ['second factor', view.secondFactor ?? 'none'],
    ...view.appPasswords.map((password) => ['app password', appPasswordText(password)]),
  ];
  await context.print(lines.map(([title = '', text]) => `${title.padEnd(14)} ${text}\n`).join(''));
  return 0;
}

function appPasswordText({ name, scopes, expires, lastUsed }: AppPasswordView): string {
  const parts = [
    ...(scopes === null ? [] : [`for ${listText(scopes, '')}`]),
    ...(expires === null ? [] : [`expires ${expires}`]),
    lastUsed === null ? 'not used yet' : `last used ${lastUsed}`,
  ];
  return `${printable(name)} (${parts.join('; ')})`;
}
