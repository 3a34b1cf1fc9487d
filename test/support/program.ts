import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** What a program that has ended said. */
export interface Ended {
  readonly code: number | null;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** Runs a program to its end, without a shell; kills it if it hangs. */
export async function run(program: string, args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: 'pipe',
    timeout: PATIENCE,
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

/** Runs a program to its end; rejects, with what it said, unless its exit code is 0. */
export async function expectDone(program: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`);
}

/** Why a test that needs this program cannot run here, in words that say how to mend it; undefined if it can. */
function missing(program: string, debianPackage: string): string | undefined {
  const found = spawnSync('which', [program]).status === 0;
  return found ? undefined : `${program} is not installed: apt-get install ${debianPackage}`;
}

/** True if a test that needs this program has to be skipped; says on the console how to mend it. */
export function skips(program: string, debianPackage: string): boolean {
  const why = missing(program, debianPackage);
  if (why !== undefined) console.warn(`skipped: ${why}`);
  return why !== undefined;
}

/** Words of a command line, split at blanks; what is put in stays one word, or with an array the words that it holds. */
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

/** Milliseconds: more than anything takes here on a machine that has much else to do, and less than a test may. */
const PATIENCE = 90_000;
