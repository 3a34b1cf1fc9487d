import { printable } from '@postern/esmtp';
import { jsonLine } from '../json-line.ts';
import { textTable } from './text-table.ts';
import type { UserArguments, UserContext } from './user-context.ts';
import { listText, type UserView, viewOf } from './user-view.ts';

/**
 * Prints all users in the order of their names, in blocks: any number of users takes the same
 * memory.
 */
export async function listUsers({ options }: UserArguments<'list'>, context: UserContext): Promise<number> {
  const blocks = options.json === true ? jsonLines(viewsOf(context)) : textTable(HEADING, rowsOf(viewsOf(context)));
  try {
    for await (const block of blocks) await context.print(block);
  } catch (error) {
    // A reader such as head(1) closes the pipe when it has enough.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
  }
  return 0;
}

async function* viewsOf(context: UserContext): AsyncGenerator<UserView> {
  const now = new Date();
  const users = await context.openToRead();
  for await (const user of users.list()) yield viewOf(user, context, now);
}

async function* jsonLines(views: AsyncIterable<UserView>): AsyncGenerator<string> {
  let lines: string[] = [];
  for await (const view of views) {
    lines.push(jsonLine(view));
    if (lines.length < LINES_IN_BLOCK) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}

async function* rowsOf(views: AsyncIterable<UserView>): AsyncGenerator<readonly string[]> {
  for await (const view of views) {
    yield [
      printable(view.name),
      view.state,
      listText(view.schemes, 'none'),
      listText(view.scopes, 'all'),
      view.expires ?? 'never',
      view.secondFactor ?? 'none',
      listText(
        view.appPasswords.map(({ name }) => name),
        'none',
      ),
    ];
  }
}

const HEADING = ['NAME', 'STATE', 'SCHEMES', 'SCOPES', 'EXPIRES', 'SECOND FACTOR', 'APP PASSWORDS'];
const LINES_IN_BLOCK = 200;
