import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Cores, pinned, type RunningServer } from './processes.ts';
import type { Counts } from './servers/tell.ts';

/** What a {@link ScriptServer} runs, and how. */
export interface ScriptOptions {
  readonly cores?: Cores | undefined;
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
  readonly args?: readonly string[];
}

/** A server of `servers/`, in a process of its own that answers questions. */
export class ScriptServer implements RunningServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** Starts the file, or the file of this name in `servers/`. Resolves when it listens. */
  static async start(name: string, { cores, nodeOptions = [], args = [] }: ScriptOptions = {}): Promise<ScriptServer> {
    const file = name.endsWith('.ts') ? name : join(import.meta.dirname, 'servers', `${name}.ts`);
    const [command, all] = pinned(cores?.server, process.execPath, ['--expose-gc', ...nodeOptions, file, ...args]);
    const child = spawn(command, all, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const port = await answer(child);
    if (typeof port !== 'number') throw new Error(`${name} did not send its port`);
    return new ScriptServer(child, port);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get pids(): readonly number[] {
    return [this.pid];
  }

  async countMessages(): Promise<number | undefined> {
    return ((await this.#ask('counts')) as Counts | null)?.messages;
  }

  collect(): Promise<unknown> {
    return this.#ask('collect');
  }

  /** Returns the milliseconds that the server takes to read a file. Only `users` answers. */
  async readFileTime(): Promise<number> {
    return (await this.#ask('file')) as number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await exit;
  }

  async #ask(question: 'counts' | 'collect' | 'file'): Promise<unknown> {
    this.#child.send(question);
    return await answer(this.#child);
  }
}

/** Resolves to the next message of the process. Rejects if the process ends before. */
export async function answer(child: ChildProcess): Promise<unknown> {
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
