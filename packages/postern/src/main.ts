import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { CommandProcess } from './command-process.ts';
import { CommandError, StartError, UsageError } from './errors.ts';
import { redactSpec } from './redact-spec.ts';
import { shareOwnPackages } from './share-own-packages.ts';

/** Runs one command with the arguments after its name. Resolves to the exit code. */
type Command = (argv: readonly string[], process: CommandProcess) => Promise<number>;

/** The commands by their names. A new command is one entry. Each one loads only its own modules. */
const commands: ReadonlyMap<string, Command> = new Map([
  ['serve', async (argv, process) => (await import('./run-serve.ts')).runServe(argv, process)],
  ['explain', async (argv, process) => (await import('./explain.ts')).runExplain(argv, process)],
  ['login', async (argv, process) => (await import('./run-login.ts')).runLogin(argv, process)],
  ['user', async (argv, process) => (await import('./user/run-user.ts')).runUser(argv, process)],
]);

/** Runs the command line and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<never> {
  const streams = [process.stdout, process.stderr];
  // A reader of the output may close its end: connections continue without it.
  for (const stream of streams) stream.on('error', () => {});
  const code = await run(argv, process);
  // Write the output first, unless the reader stalls.
  await Promise.race([Promise.all(streams.map(written)), setTimeout(LAST_WRITE_TIMEOUT_MS)]);
  // The objects of a config file, such as connections to a database, must not keep the process.
  process.exit(code);
}

/** Resolves when the stream has written its buffer, or cannot write. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/**
 * Runs the command line. Resolves to its exit code; writes errors to `process.stderr` and never
 * rejects.
 */
export async function run(argv: readonly string[], process: CommandProcess): Promise<number> {
  try {
    return await runCommand(argv, process);
  } catch (error) {
    return reportError(error, process);
  }
}

async function runCommand([name, ...rest]: readonly string[], process: CommandProcess): Promise<number> {
  const print = (text: string): number => {
    process.stdout.write(text);
    return 0;
  };
  if (name === '--version') return print(`${version()}\n`);
  if (name === '--help' || name === '-h' || name === 'help') return print(await helpOf(rest[0]));
  const command = commands.get(name ?? '');
  if (command === undefined) {
    const problem = name === undefined ? 'no command' : `unknown command ${redactSpec(name)}`;
    const { suggestion } = await import('./suggest.ts');
    const known = [...commands.keys()];
    throw new UsageError(`${problem}: expected ${known.join(' or ')}, or --help${suggestion(name ?? '', known)}`);
  }
  if (rest.includes('--help') || rest.includes('-h')) return print(await helpOf(name));
  // Before a config file, or an optional package, imports one of them.
  shareOwnPackages();
  return await command(rest, process);
}

async function helpOf(name: string | undefined): Promise<string> {
  const { help } = await import('./help.ts');
  return await help(name);
}

/** Writes the message of an operator's error, and the stack of any other. Returns the exit code. */
function reportError(error: unknown, { stderr }: CommandProcess): number {
  if (error instanceof UsageError || error instanceof StartError || error instanceof CommandError)
    stderr.write(`postern: ${error.message}\n`);
  else stderr.write(`postern: ${error instanceof Error ? error.stack : String(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

const LAST_WRITE_TIMEOUT_MS = 1_000;
