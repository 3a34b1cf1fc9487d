import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { password, username } from './account.ts';
import type { Counts } from './servers/tell.ts';

/** The cores of the server and of the load generator; undefined without `taskset`. */
export interface Cores {
  readonly server: number;
  readonly load: number;
}

/** A server under test, in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts bench/servers/NAME.ts with arguments and resolves when it listens. */
  static async start(
    name: string,
    cores: Cores | undefined,
    nodeOptions: readonly string[] = [],
    args: readonly string[] = [],
  ): Promise<ServerProcess> {
    const file = join(import.meta.dirname, 'servers', `${name}.ts`);
    const [command, all] = pinned(cores?.server, process.execPath, ['--expose-gc', ...nodeOptions, file, ...args]);
    const child = spawn(command, all, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const port = await answer(child);
    if (typeof port !== 'number') throw new Error(`${name} did not tell its port`);
    return new ServerProcess(child, port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it has done since it started. `collect` has it collect garbage before. */
  async ask(question: 'counts' | 'collect'): Promise<Counts> {
    this.#child.send(question);
    return (await answer(this.#child)) as Counts;
  }

  /** Returns the milliseconds that the server takes to read a file. Only `users` answers. */
  async readFileTime(): Promise<number> {
    this.#child.send('file');
    return (await answer(this.#child)) as number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await exit;
  }
}

/** The command `postern serve` with several workers, each on a core of its own. */
export class PosternCommand implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts it and resolves when it listens. */
  static async start(workers: number, cores: readonly number[] | undefined): Promise<PosternCommand> {
    const program = join(import.meta.dirname, '../packages/postern/bin/postern.js');
    const options = [
      '--listen',
      'smtp://127.0.0.1:0',
      '--auth',
      `memory:${username}:${password}`,
      '--deliver',
      'discard',
    ];
    const args = [program, 'serve', ...options, '--log', 'silent', '--workers', String(workers)];
    const [command, all] = pinned(cores?.join(), process.execPath, args);
    const child = spawn(command, all, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) {
      const port = /^listening smtp:\/\/127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) return new PosternCommand(child, Number(port));
    }
    throw new Error('postern serve did not listen');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exit;
  }
}

/** The command as it is run on these cores, as `taskset` writes them, and no others. */
export function pinned(
  cores: number | string | undefined,
  command: string,
  args: readonly string[],
): [string, string[]] {
  return cores === undefined ? [command, [...args]] : ['taskset', ['-c', String(cores), command, ...args]];
}

/** Returns the cores that this process may run on. In a container they need not begin at 0. */
export function allowedCores(): number[] {
  const all = Array.from({ length: availableParallelism() }, (_, core) => core);
  const { stdout } = spawnSync('taskset', ['-c', '-p', String(process.pid)], { encoding: 'utf8' });
  const list = /: ([\d,-]+)$/.exec(stdout?.trim() ?? '')?.[1];
  if (list === undefined) return all;
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}

/** Whether a command is there at all. */
export function has(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Returns the memory of a process in KiB. */
export function rssKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

async function answer(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
    throw new Error(`a server ended by itself (${String(code ?? signal)})`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: ended.signal }), exit]);
    return message;
  } finally {
    ended.abort();
    exit.catch(() => {});
  }
}
