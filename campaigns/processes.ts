import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A running `postern serve`. */
export interface PosternProcess extends AsyncDisposable {
  readonly pid: number;
  /** The port of each listener on TCP, in order. */
  readonly ports: readonly number[];
  /** The port of the first listener. */
  readonly port: number;
  /** Resolves when the process has ended: to the exit code, or to the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** Options of {@link startPostern}. */
export interface StartOptions {
  /** Options for Node itself, such as `--max-old-space-size=256`. */
  readonly nodeOptions?: readonly string[];
  /** A command to run before Node, such as `['prlimit', '--nofile=64', '--']`. */
  readonly prefix?: readonly string[];
  /** Where the log goes. Default: the standard error of this process. */
  readonly stderr?: 'inherit' | 'ignore' | number;
  /** How many `listening` lines to wait for. Default: one. */
  readonly listeners?: number;
}

/** Starts the built command with these arguments after `serve`, and resolves when it listens. */
export async function startPostern(args: readonly string[], options: StartOptions = {}): Promise<PosternProcess> {
  const { nodeOptions = [], prefix = [], stderr = 'inherit', listeners = 1 } = options;
  const [command = '', ...rest] = [...prefix, process.execPath, ...nodeOptions, BIN, 'serve', ...args];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', stderr] });
  const { stdout } = child;
  if (stdout === null) throw new Error('postern serve has no standard output');
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(([code, signal]): number | string | null => code ?? signal);
  void ended.then(() => process.off('exit', kill));
  const ports: number[] = [];
  for await (const line of createInterface(stdout)) {
    const port = /^listening \S+:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) ports.push(Number(port));
    if (ports.length === listeners) break;
  }
  if (ports.length < listeners) throw new Error(`postern serve ended with ${await ended} before it listened`);
  stdout.resume();
  return {
    pid: child.pid ?? 0,
    ports,
    port: ports[0] ?? 0,
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const BIN = fileURLToPath(new URL('../packages/postern/bin/postern.js', import.meta.url));
