import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Counts } from './servers/tell.ts';

/** The cores that server and load generator are kept to; undefined where the system has no `taskset`. */
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

  /** Starts bench/servers/NAME.ts and resolves when it listens. */
  static async start(
    name: string,
    cores: Cores | undefined,
    nodeOptions: readonly string[] = [],
  ): Promise<ServerProcess> {
    const file = join(import.meta.dirname, 'servers', `${name}.ts`);
    const [command, args] = pinned(cores?.server, process.execPath, ['--expose-gc', ...nodeOptions, file]);
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
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

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await exit;
  }
}

/** The command as it is run on that core and no other. */
export function pinned(core: number | undefined, command: string, args: readonly string[]): [string, string[]] {
  return core === undefined ? [command, [...args]] : ['taskset', ['-c', String(core), command, ...args]];
}

/** Whether a command is there at all. */
export function has(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined;
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
