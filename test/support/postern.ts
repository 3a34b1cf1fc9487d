import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Output } from './output.ts';
import { type Ended, run } from './program.ts';

/** The path of the command's file. */
export const BIN = fileURLToPath(new URL('../../packages/postern/bin/postern.js', import.meta.url));

/**
 * A config file. Joe's password is `s3cret`, his token `t0ken`; a client certificate logs in its
 * common name.
 */
export const CONFIG = fileURLToPath(new URL('postern.config.ts', import.meta.url));

/**
 * A config file that relays joe's messages to `NEXT_SERVER`, as joe; the authority is
 * `NEXT_SERVER_CA`.
 */
export const RELAY_CONFIG = fileURLToPath(new URL('relay.config.ts', import.meta.url));

/** A config file without a limit on guesses, for tests with many wrong passwords. */
export const UNTHROTTLED_CONFIG = fileURLToPath(new URL('unthrottled.config.ts', import.meta.url));

/** A running `postern serve`, in this process or in another. */
export interface ServingPostern extends AsyncDisposable {
  /** The URLs of its `listening` lines, in order. */
  readonly urls: readonly URL[];
  /** Returns all text on standard output and standard error so far. */
  readonly output: () => string;
  /**
   * Resolves when the output has `times` matches (default: 1); rejects if the command ends before.
   */
  said(pattern: RegExp, times?: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /**
   * Resolves to the exit code, or to the signal that ended the process, after all output is read.
   */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Sends SIGTERM and resolves as `ended` does. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

/** A `postern serve` that runs as a process of its own, from the bundle. */
export interface RunningPostern extends ServingPostern {
  readonly process: ChildProcess;
}

/** Runs the command as a process of its own, until it ends. */
export function runPostern(args: readonly string[], input = ''): Promise<Ended> {
  return run(process.execPath, [BIN, ...args], input);
}

/**
 * Starts `postern serve` as a process of its own. Resolves when it listens; rejects if it ends
 * before.
 */
export async function startPostern(...args: readonly string[]): Promise<RunningPostern> {
  const child = spawnPostern(args, ['ignore', 'pipe', 'pipe']);
  const output = new Output();
  let stdout = '';
  (child.stderr as Readable).setEncoding('utf8').on('data', (text: string) => output.append(text));
  (child.stdout as Readable).setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output.append(text);
  });
  // After `exit` there may be more to read; `close` comes after the last of it.
  const ended = once(child, 'close').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    const how = code ?? signal ?? null;
    output.end(`postern ended with ${how}`);
    return how;
  });
  const listeners = args.filter((arg) => arg === '--listen').length || 1;
  await output.until(() => listeningUrls(stdout).length >= listeners, 'listened');

  const stop = async (): Promise<number | NodeJS.Signals | null> => {
    child.kill('SIGTERM');
    return await ended;
  };
  return {
    process: child,
    urls: listeningUrls(stdout).map((url) => new URL(url)),
    output: () => output.text,
    said: (pattern, times) => output.said(pattern, times),
    kill: (signal) => void child.kill(signal),
    ended,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** Returns the URLs of the `listening` lines. */
export function listeningUrls(stdout: string): readonly string[] {
  return Array.from(stdout.matchAll(/^listening (\S+)\n/gm), ([, url]) => url as string);
}

/**
 * Starts `postern serve` as a process of its own and waits for nothing. The end of the test run
 * ends it too.
 */
export function spawnPostern(args: readonly string[], stdio: StdioOptions): ChildProcess {
  const child = spawn(process.execPath, [BIN, 'serve', ...args], { stdio });
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}
