import { extname } from 'node:path';
import type { Clock } from '@postern/core';
import { TemporaryFailure } from '@postern/cred';
import type { HashThreads } from '../secrets/secret.ts';
import type { HashJob } from './hash-job.ts';
import { WorkerThread } from './worker-thread.ts';

/** The number of {@link WorkerThreads}, and their timeouts in milliseconds. */
export interface WorkerThreadsOptions {
  /** The number of threads. */
  readonly threads: number;
  readonly clock: Clock;
  /** The time for one hash. Default: 30,000. */
  readonly jobTimeout?: number;
  /** The time after which a thread without work ends. Default: 60,000. */
  readonly idleTimeout?: number;
  /** The program of a thread. Default: `hash-worker`. */
  readonly file?: URL;
}

/**
 * Computes hashes in worker threads. A thread starts for a job that finds no idle one, and ends
 * after a minute without work. A thread that fails or is late is ended, and the next job starts
 * another. Threads keep the process alive only while they compute.
 */
export class WorkerThreads implements HashThreads {
  readonly #options: Required<Omit<WorkerThreadsOptions, 'file'>>;
  readonly #file: URL | undefined;
  readonly #threads = new Set<WorkerThread>();
  /** The threads without a job, the last used one at the end, each with the timer that ends it. */
  readonly #idle: { readonly thread: WorkerThread; readonly timer: Disposable }[] = [];
  /** The jobs that wait for a thread. A queue with as many slots as threads lets no job wait. */
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: WorkerThreadsOptions) {
    this.#options = { jobTimeout: 30_000, idleTimeout: 60_000, ...options };
    this.#file = options.file;
  }

  readonly bcrypt = (password: Uint8Array, setting: string): Promise<string> =>
    this.#compute('bcrypt', password, setting);

  readonly crypt = (password: Uint8Array, setting: string): Promise<string> =>
    this.#compute('crypt', password, setting);

  /** Ends all threads. The hashes that they compute reject, and so do those that wait. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#idle.splice(0)) timer[Symbol.dispose]();
    for (const resume of this.#waiting.splice(0)) resume();
    await Promise.all(Array.from(this.#threads, (thread) => this.#end(thread, CLOSED)));
  }

  async #compute(algorithm: HashJob['algorithm'], password: Uint8Array, setting: string): Promise<string> {
    const thread = await this.#takeThread();
    const { clock, jobTimeout } = this.#options;
    const late = `a stored ${algorithm} hash takes more than ${jobTimeout} ms`;
    using _timer = clock.after(jobTimeout, () => void this.#end(thread, late));
    try {
      return await thread.compute({ algorithm, password: Uint8Array.from(password), setting });
    } finally {
      this.#release(thread);
    }
  }

  async #takeThread(): Promise<WorkerThread> {
    while (!this.#closed) {
      const idle = this.#idle.pop();
      idle?.timer[Symbol.dispose]();
      if (idle?.thread.alive) return idle.thread;
      if (idle !== undefined) {
        this.#threads.delete(idle.thread);
      } else if (this.#threads.size < this.#options.threads) {
        const thread = new WorkerThread(this.#file ?? hashWorker());
        this.#threads.add(thread);
        return thread;
      } else {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    }
    throw new TemporaryFailure(CLOSED);
  }

  #release(thread: WorkerThread): void {
    if (!thread.alive) {
      this.#threads.delete(thread);
    } else if (!this.#closed) {
      const timer = this.#options.clock.after(this.#options.idleTimeout, () => {
        const index = this.#idle.findIndex((idle) => idle.thread === thread);
        if (index >= 0) this.#idle.splice(index, 1);
        void this.#end(thread, 'the hash thread had no work');
      });
      this.#idle.push({ thread, timer });
    }
    this.#waiting.shift()?.();
  }

  async #end(thread: WorkerThread, reason: string): Promise<void> {
    this.#threads.delete(thread);
    await thread.end(new TemporaryFailure(reason));
  }
}

/** The source under a test runner, or its build. */
function hashWorker(): URL {
  return new URL(`./hash-worker${extname(import.meta.url)}`, import.meta.url);
}

const CLOSED = 'the hash queue is closed';
