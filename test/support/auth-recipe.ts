import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningPostern, startPostern } from './postern.ts';
import { recipeCommands, recipeFile, replaceEach } from './recipe.ts';
import { TestUserDatabase } from './user-database.ts';

/** The number of failed logins after which the command's default throttle refuses a user. */
export const MAX_GUESSES = 10;

/** The config file of the recipe for an auth server. */
const CONFIG_PATH = '/etc/postern/postern.config.ts';
/** The user database of the recipes. */
const DATABASE = 'sqlite:/var/lib/postern/users.db';

/** The arguments of `postern serve` in the recipes for mail servers. */
export interface AuthRecipe {
  /** Returns the arguments with the config file: joe, ann and bob have the password `s3cret`. */
  withConfig(): readonly string[];
  /** Returns the arguments with this user database in place of the recipe's. */
  withUsers(spec: string): readonly string[];
  /** The path of the config file. */
  readonly config: string;
}

/**
 * Writes the config file of the recipe into the folder, and returns the commands of the recipe with
 * `path` in place of `socket`.
 */
export async function authRecipe(name: string, folder: string, socket: string, path: string): Promise<AuthRecipe> {
  const commands = recipeCommands(name).filter((command) => command.join(' ').includes(`+unix:${socket}?`));
  const commandWith = (option: string): readonly string[] => {
    const [command, ...more] = commands.filter((args) => args.includes(option));
    if (command === undefined || more.length > 0) throw new Error(`docs/recipes/${name}.md: one ${option} expected`);
    return command;
  };
  const config = join(folder, 'postern.config.ts');
  const tokens = join(folder, 'tokens.json');
  await writeFile(tokens, '{"t0ken":"joe"}');
  const text = replaceEach(recipeFile('postfix', CONFIG_PATH), {
    [`'${DATABASE}'`]: "failingUsers, 'memory:joe:s3cret', 'memory:ann:s3cret', 'memory:bob:s3cret'",
    '/etc/postern/tokens.json': tokens,
  });
  await writeFile(config, `import { failingUsers } from ${JSON.stringify(FAILING_USERS)};\n${text}`);
  // Node finds the packages from there.
  await symlink(NODE_MODULES, join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const replaced = (command: readonly string[], replacements: Readonly<Record<string, string>>) =>
    replaceEach(command.join('\n'), replacements).split('\n');
  return {
    config,
    withUsers: (spec) => replaced(commandWith('--auth'), { [socket]: path, [DATABASE]: spec }),
    withConfig: () => replaced(commandWith('--config'), { [socket]: path, [CONFIG_PATH]: config }),
  };
}

/** Starts the next server, which takes the socket over, and ends the server before it. */
export async function restart(old: RunningPostern, args: readonly string[]): Promise<RunningPostern> {
  const next = await startPostern(...args);
  await old.stop();
  return next;
}

/** Makes a user database with joe, whose password is `s3cret`. */
export async function joesDatabase(): Promise<TestUserDatabase> {
  const users = new TestUserDatabase();
  await users.expect(['add', 'joe'], 's3cret\n');
  return users;
}

const FAILING_USERS = fileURLToPath(new URL('failing-users.ts', import.meta.url));
const NODE_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));
