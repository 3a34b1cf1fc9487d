import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** The result of a program that has ended. */
export interface Ended {
  readonly code: number | null;
  /** Standard output and standard error, in the order of arrival. */
  readonly output: string;
}

/** Runs a program without a shell until it ends. Kills it after {@link END_TIMEOUT_MS}. */
export async function run(program: string, args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: 'pipe',
    timeout: END_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    env: { ...process.env, LC_ALL: 'C' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdin.on('error', () => {}).end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** Runs a program until it ends. Rejects, with the output, unless the exit code is 0. */
export async function expectDone(program: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
}

/** Returns how to install the program if it is missing; otherwise undefined. */
function missing(program: string, debianPackage: string): string | undefined {
  const found = spawnSync('which', [program]).status === 0;
  return found ? undefined : `${program} is not installed: apt-get install ${debianPackage}`;
}

/**
 * Returns true, and prints how to install the program, if tests must skip because it is missing.
 */
export function skips(program: string, debianPackage: string): boolean {
  const reason = missing(program, debianPackage);
  if (reason !== undefined) console.warn(`skipped: ${reason}`);
  return reason !== undefined;
}

/**
 * Splits a command line at blanks. An inserted string stays one word; an inserted array gives its
 * words.
 */
export function words(
  texts: TemplateStringsArray,
  ...values: readonly (string | readonly string[])[]
): readonly string[] {
  const whole = texts.map((text, index) => (index < values.length ? `${text}\0${index}\0` : text)).join('');
  return whole
    .trim()
    .split(/\s+/)
    .flatMap((word) => {
      const alone = /^\0(\d+)\0$/.exec(word)?.[1];
      if (alone !== undefined) return values[Number(alone)] ?? [];
      return word.replace(/\0(\d+)\0/g, (_whole, index: string) => String(values[Number(index)]));
    });
}

/** Enough on a busy machine, and less than the timeout of a test. */
const END_TIMEOUT_MS = 90_000;
