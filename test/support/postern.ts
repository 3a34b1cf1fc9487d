import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The command's file, for Node to run. */
export const BIN = fileURLToPath(new URL('../../packages/postern/bin/postern.js', import.meta.url));

/** A config file: joe's password is `s3cret`, his token `t0ken`, and who has a certificate is let in by its common name. */
export const CONFIG = fileURLToPath(new URL('postern.config.ts', import.meta.url));

/** A config file: joe's messages go on to `NEXT_SERVER`, which has a certificate of `NEXT_SERVER_CA`, as the user joe there. */
export const RELAY_CONFIG = fileURLToPath(new URL('relay.config.ts', import.meta.url));

/** The command `postern serve`, running. */
export interface RunningPostern extends AsyncDisposable {
  readonly process: ChildProcess;
  /** The URLs of its `listening` lines, in order. */
  readonly urls: readonly URL[];
  /** All that it has said on standard output and standard error so far. */
  readonly output: () => string;
  /** Resolves when it has said something that matches, and so often; rejects if it ends before. */
  said(pattern: RegExp, times?: number): Promise<void>;
  /** Resolves when it has ended and all that it said is in the output: to its exit code, or to the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Sends SIGTERM and resolves as `ended` does. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

/** Starts `postern serve` with these arguments and resolves when it has said that it listens, once for each `--listen`. */
export async function startPostern(...args: readonly string[]): Promise<RunningPostern> {
  const child = spawnPostern(args, ['ignore', 'pipe', 'pipe']);
  const [stdoutOf, stderrOf] = [child.stdout as Readable, child.stderr as Readable];
  const listeners = args.filter((arg) => arg === '--listen').length || 1;
  let output = '';
  let stdout = '';
  let over = false;
  const waiting = new Set<() => void>();
  const news = (): void => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  stderrOf.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    news();
  });
  stdoutOf.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    stdout += text;
    news();
  });
  // Not `exit`, behind which there may be more to read.
  const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    over = true;
    news();
    return code ?? signal ?? null;
  });
  const until = async (isSo: () => boolean, what: string): Promise<void> => {
    while (!isSo()) {
      if (over) throw new Error(`postern ended with ${await ended} before it ${what}:\n${output}`);
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  await until(() => listening(stdout).length >= listeners, 'listened');

  const stop = async (): Promise<number | NodeJS.Signals | null> => {
    child.kill('SIGTERM');
    return await ended;
  };
  return {
    process: child,
    urls: listening(stdout).map((url) => new URL(url)),
    output: () => output,
    said: (pattern, times = 1) => {
      const all = new RegExp(pattern, `${pattern.flags}g`);
      return until(() => [...output.matchAll(all)].length >= times, `said ${pattern}`);
    },
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function listening(stdout: string): readonly string[] {
  return Array.from(stdout.matchAll(/^listening (\S+)\n/gm), ([, url]) => url as string);
}

/** Starts `postern serve` with these arguments, and nothing more. A test run that ends early takes it along. */
export function spawnPostern(args: readonly string[], stdio: StdioOptions): ChildProcess {
  const child = spawn(process.execPath, [BIN, 'serve', ...args], { stdio });
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}
