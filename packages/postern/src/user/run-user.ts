import { type CommandProcess, printerTo } from '../command-process.ts';
import { UsageError } from '../errors.ts';
import { parseArguments } from '../option-table.ts';
import { redactSpec } from '../redact-spec.ts';
import { suggestion } from '../suggest.ts';
import { Terminal } from '../terminal.ts';
import { hasLiteralPassword, LITERAL_PASSWORD } from '../user-store-spec.ts';
import { addUser } from './add.ts';
import { addAppPassword, listAppPasswords, removeAppPassword } from './app-password.ts';
import { importUsers } from './import.ts';
import { listUsers } from './list.ts';
import { openContext } from './open-context.ts';
import { setPassword } from './password.ts';
import { removeUser } from './remove.ts';
import { setUser } from './set.ts';
import { showUser } from './show.ts';
import { disableUser, enableUser } from './state.ts';
import { setTotp } from './totp.ts';
import { USER_COMMANDS, type UserCommandEntry, type UserCommandName } from './user-commands.ts';
import type { UserCommand } from './user-context.ts';
import { type CommonOptions, readUserSettings } from './user-settings.ts';

/** The commands by the names of their entries. The compiler requires each. */
const commands: { readonly [K in UserCommandName]: UserCommand<K> } = {
  add: addUser,
  list: listUsers,
  show: showUser,
  password: setPassword,
  set: setUser,
  disable: disableUser,
  enable: enableUser,
  remove: removeUser,
  'app-password add': addAppPassword,
  'app-password list': listAppPasswords,
  'app-password remove': removeAppPassword,
  totp: setTotp,
  import: importUsers,
};

/**
 * Runs `postern user`: the commands for the users of a database. Resolves to the exit code: 0, or 1
 * if an import could not take all users.
 *
 * @throws UsageError for wrong arguments.
 * @throws CommandError if the command fails.
 */
export async function runUser(argv: readonly string[], process: CommandProcess): Promise<number> {
  const { name, rest } = commandOf(argv);
  const entry: UserCommandEntry = USER_COMMANDS[name];
  if (rest.some((argument) => PASSWORD_OPTION.test(argument))) throw new UsageError(`user ${name}: ${NO_PASSWORD}`);
  const { values, positionals } = parseArguments(rest, entry.options, 'user');
  expectNames(name, entry, positionals);
  using terminal = new Terminal(process);
  const settings = await readUserSettings(values as CommonOptions, process.env);
  const warn = printerTo(process.stderr);
  if (values['db'] !== undefined && hasLiteralPassword(String(values['db']))) await warn(`--db: ${LITERAL_PASSWORD}\n`);
  await using context = await openContext(settings, {
    creates: values['dry-run'] === true ? 'in memory' : CREATING.has(name) ? 'file' : 'nothing',
    parts: {
      terminal,
      print: printerTo(process.stdout),
      warn,
      showsProgress: process.stderr.isTTY === true,
    },
  });
  const command = commands[name] as UserCommand<UserCommandName>;
  return await command({ names: positionals, options: values as never }, context);
}

/** Returns the command whose name, of one word or two, the arguments begin with. */
function commandOf(argv: readonly string[]): { name: UserCommandName; rest: readonly string[] } {
  const [first = '', second = ''] = argv.map((argument) => (argument.startsWith('-') ? '' : argument));
  const both = `${first} ${second}`;
  if (isCommand(both)) return { name: both, rest: argv.slice(2) };
  if (isCommand(first)) return { name: first, rest: argv.slice(1) };
  const names = Object.keys(USER_COMMANDS);
  const isGroup = names.some((name) => name.startsWith(`${first} `));
  const problem = first === '' ? 'no command' : `unknown command ${redactSpec(isGroup ? both.trim() : first)}`;
  const known = isGroup ? names.filter((name) => name.startsWith(`${first} `)) : names;
  throw new UsageError(
    `user: ${problem}: expected ${known.join(', ')}, or --help${suggestion(isGroup ? both : first, known)}`,
  );
}

function isCommand(name: string): name is UserCommandName {
  return Object.hasOwn(USER_COMMANDS, name);
}

/** A password among the arguments would be in the list of processes, and in the shell's history. */
function expectNames(name: UserCommandName, entry: UserCommandEntry, names: readonly string[]): void {
  const expected = entry.arguments.split(' ').filter((word) => word !== '');
  if (names.length === expected.length) return;
  const usage = `user ${name}: expected ${expected.length === 0 ? 'options only' : entry.arguments}`;
  if (names.length < expected.length)
    throw new UsageError(`${usage}, such as postern user ${name} ${EXAMPLES[entry.arguments]}`);
  throw new UsageError(TAKING_PASSWORDS.has(name) ? `${usage}. ${NO_PASSWORD}` : usage);
}

/** The commands that create a database that does not exist. */
const CREATING: ReadonlySet<UserCommandName> = new Set(['add', 'import']);
const TAKING_PASSWORDS: ReadonlySet<UserCommandName> = new Set(['add', 'password', 'app-password add']);
const PASSWORD_OPTION = /^(?:-p|--?pass)/;
const NO_PASSWORD =
  'A password is no argument, since every user of the machine can read it there: the command asks for it, or reads ' +
  'the standard input';
const EXAMPLES: Readonly<Record<string, string>> = { NAME: 'joe', 'NAME LABEL': 'joe phone', FILE: 'users.htpasswd' };
