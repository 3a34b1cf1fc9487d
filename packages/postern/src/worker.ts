import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Ready, WORKER, type WorkerConfig } from './worker-config.ts';

/** How a worker went: its exit code or the signal that ended it, or why it could not be made. */
export interface Gone {
  readonly code?: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly error?: unknown;
}

/** One of several processes that serve, as its supervisor sees it. */
export class Worker {
  /** Resolves when it has gone. Does not reject. */
  readonly gone: Promise<Gone>;
  /** What it says when it listens; undefined if it goes before. Does not reject. */
  readonly ready: Promise<Ready | undefined>;
  #child: ChildProcess | undefined;
  #listens = false;

  /** `argv` is what follows `serve`. It is killed if it does not listen after so many milliseconds. */
  constructor(argv: readonly string[], orders: WorkerConfig, patience: number) {
    const gone = Promise.withResolvers<Gone>();
    const ready = Promise.withResolvers<Ready | undefined>();
    this.gone = gone.promise;
    this.ready = ready.promise;
    void this.gone.then(() => ready.resolve(undefined));
    try {
      const child = fork(COMMAND, ['serve', ...argv], { env: { ...process.env, [WORKER]: '1' } });
      this.#child = child;
      child.once('exit', (code, signal) => gone.resolve({ code, signal }));
      // What becomes of one that is there already its exit tells.
      child.on('error', (error) => child.pid === undefined && gone.resolve({ error }));
      child.once('message', (said) => {
        this.#listens = true;
        ready.resolve(said as Ready);
      });
      child.send?.(orders, () => {});
    } catch (error) {
      gone.resolve({ error });
    }
    const late = setTimeout(() => this.signal('SIGKILL'), patience);
    void this.ready.then(() => clearTimeout(late));
  }

  /** True once it has said that it listens. */
  get listens(): boolean {
    return this.#listens;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}

const COMMAND = fileURLToPath(new URL('../bin/postern.js', import.meta.url));
