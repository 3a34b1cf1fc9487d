import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
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
  /** Sends SIGTERM and resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `postern serve` with these arguments and resolves when it has said that it listens, once for each `--listen`. */
export async function startPostern(...args: readonly string[]): Promise<RunningPostern> {
  const child = spawn(process.execPath, [BIN, 'serve', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const listeners = args.filter((arg) => arg === '--listen').length || 1;
  let output = '';
  let stdout = '';
  const ready = Promise.withResolvers<void>();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    stdout += text;
    if (listening(stdout).length === listeners) ready.resolve();
  });
  const exited = once(child, 'close') as Promise<[number | null]>;
  void exited.then(([code]) => ready.reject(new Error(`postern ended with ${code} before it listened:\n${output}`)));
  await ready.promise;

  const stop = async (): Promise<number | null> => {
    child.kill('SIGTERM');
    const [code] = await exited;
    return code;
  };
  return {
    process: child,
    urls: listening(stdout).map((url) => new URL(url)),
    output: () => output,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function listening(stdout: string): readonly string[] {
  return Array.from(stdout.matchAll(/^listening (\S+)\n/gm), ([, url]) => url as string);
}

/** Starts `postern serve` with these arguments, and nothing more. */
export function spawnPostern(args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn(process.execPath, [BIN, 'serve', ...args], { stdio });
}
