import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { CommandProcess } from './command-process.ts';
import { help } from './help.ts';
import { redactSpec } from './redact-spec.ts';
import { runExplain } from './run-explain.ts';
import { runLogin } from './run-login.ts';
import { runServe } from './run-serve.ts';
import { StartError } from './start-error.ts';
import { suggestion } from './suggest.ts';
import { UsageError } from './usage-error.ts';

/** One command: takes the arguments after its name and resolves to the exit code. */
type Command = (argv: readonly string[], process: CommandProcess) => Promise<number>;

/** The commands by their names. Whoever adds one adds an entry. */
const commands: ReadonlyMap<string, Command> = new Map([
  ['serve', runServe],
  ['explain', runExplain],
  ['login', runLogin],
]);

/** Runs the command line, and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<never> {
  const streams = [process.stdout, process.stderr];
  // Nobody reads what we print any more: that is no reason to drop connections.
  for (const stream of streams) stream.on('error', () => {});
  const code = await run(argv, process);
  // What was said leaves first, if anybody reads it.
  await Promise.race([Promise.all(streams.map(sent)), setTimeout(LAST_WORDS)]);
  // What a config file has opened, such as connections to a database, does not keep the process.
  process.exit(code);
}

/** Resolves when the stream has nothing to write any more, or cannot write. */
function sent(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}

/** Runs the command line and resolves to its exit code. Writes errors to `process.stderr`; never rejects. */
export async function run(argv: readonly string[], process: CommandProcess): Promise<number> {
  try {
    return await runCommand(argv, process);
  } catch (error) {
    return tell(error, process);
  }
}

async function runCommand([name, ...rest]: readonly string[], process: CommandProcess): Promise<number> {
  const print = (text: string): number => {
    process.stdout.write(text);
    return 0;
  };
  if (name === '--version') return print(`${version()}\n`);
  if (name === '--help' || name === '-h' || name === 'help') return print(help(rest[0]));
  const command = commands.get(name ?? '');
  if (command === undefined) {
    const given = name === undefined ? 'no command given' : redactSpec(name);
    const known = [...commands.keys()];
    throw new UsageError(`${given}: expected ${known.join(' or ')}, or --help${suggestion(name ?? '', known)}`);
  }
  if (rest.includes('--help') || rest.includes('-h')) return print(help(name));
  return await command(rest, process);
}

function tell(error: unknown, { stderr }: CommandProcess): number {
  if (error instanceof UsageError || error instanceof StartError) stderr.write(`postern: ${error.message}\n`);
  else stderr.write(`postern: ${error instanceof Error ? error.stack : String(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

/** How long a reader may take for what we have said in the end, in milliseconds. */
const LAST_WORDS = 1_000;
