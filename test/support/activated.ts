import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Output } from './output.ts';
import { BIN } from './postern.ts';

/** A `postern serve` with sockets that another process has bound, as systemd does. */
export interface ActivatedPostern extends AsyncDisposable {
  /** Returns all text on standard output and standard error so far. */
  readonly output: () => string;
  /** Resolves when the output has `times` matches. */
  said(pattern: RegExp, times?: number): Promise<void>;
  /** Ends `postern serve` by SIGTERM, and starts it again after its end. */
  restart(): void;
  /** Signals the launcher, which is the command itself for a launcher that executes the command. */
  kill(signal: NodeJS.Signals): void;
  /** Ends the standard input, and the command. Resolves to its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts `postern serve`. It has the sockets `NAME=unix:PATH` and `NAME=tcp:HOST:PORT`. Resolves
 * when it listens; rejects if it ends before.
 */
export async function startActivated(
  sockets: readonly string[],
  args: readonly string[],
  launcher: readonly string[] = ['python3', ACTIVATOR, ...sockets, '--'],
): Promise<ActivatedPostern> {
  const [program = '', ...before] = launcher;
  const child = spawn(program, [...before, process.execPath, BIN, 'serve', ...args], { stdio: 'pipe' });
  const output = new Output();
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.append(text));
  }
  const ended = once(child, 'close').then(([code]: (number | null)[]) => {
    output.end(`postern ended with ${code}`);
    return code ?? null;
  });
  const input: Writable = child.stdin.on('error', () => {});
  const stop = async () => {
    input.end();
    return await ended;
  };
  await output.said(/^listening /m);
  return {
    output: () => output.text,
    said: (pattern, times) => output.said(pattern, times),
    restart: () => void input.write('\n'),
    kill: (signal) => void child.kill(signal),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

const ACTIVATOR = fileURLToPath(new URL('activate.py', import.meta.url));
