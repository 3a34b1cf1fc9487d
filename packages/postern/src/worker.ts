import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ThrottleHub } from '@postern/throttle';
import {
  type SupervisorMessage,
  WORKER_VARIABLE,
  type WorkerConfig,
  type WorkerMessage,
  type WorkerReady,
} from './worker-messages.ts';

/**
 * The end of a worker: its exit code or signal, or the error for which the process could not start.
 */
export interface WorkerEnd {
  readonly code?: number | null;
  readonly signal?: NodeJS.Signals | null;
  readonly error?: unknown;
}

/** A process that serves, as its supervisor sees it. */
export class Worker {
  /** Resolves when the process has ended. Never rejects. */
  readonly ended: Promise<WorkerEnd>;
  /**
   * Resolves to the worker's message when the worker listens; to undefined if it ends before. Never
   * rejects.
   */
  readonly ready: Promise<WorkerReady | undefined>;
  #child: ChildProcess | undefined;
  #listens = false;

  /**
   * Starts the process. The supervisor kills it unless it listens within `startTimeout`
   * milliseconds.
   *
   * @param argv The arguments after `serve`.
   * @param hub Counts the failed logins of all workers.
   */
  constructor(argv: readonly string[], config: WorkerConfig, hub: ThrottleHub, startTimeout: number) {
    const ended = Promise.withResolvers<WorkerEnd>();
    const ready = Promise.withResolvers<WorkerReady | undefined>();
    this.ended = ended.promise;
    this.ready = ready.promise;
    void this.ended.then(() => ready.resolve(undefined));
    try {
      const child = fork(COMMAND, ['serve', ...argv], {
        env: { ...process.env, [WORKER_VARIABLE]: '1' },
        // Each item is the descriptor of its index: inherited sockets begin at 3 in every process.
        stdio: ['inherit', 'inherit', 'inherit', ...config.inherited.map(({ fd }) => fd), 'ipc'],
      });
      this.#child = child;
      child.once('exit', (code, signal) => ended.resolve({ code, signal }));
      // After the start the event `exit` reports the end.
      child.on('error', (error) => child.pid === undefined && ended.resolve({ error }));
      const send = (message: SupervisorMessage, sent = () => {}) =>
        void child.send?.(message, (error) => error === null && sent());
      send({ config });
      const throttle = hub.join((update, sent) => send({ throttle: update }, sent));
      void this.ended.then(() => throttle.close());
      child.on('message', (message: WorkerMessage) => {
        if ('throttle' in message) return throttle.receive(message.throttle);
        this.#listens = true;
        ready.resolve(message.ready);
      });
    } catch (error) {
      ended.resolve({ error });
    }
    const late = setTimeout(() => this.signal('SIGKILL'), startTimeout);
    void this.ready.then(() => clearTimeout(late));
  }

  /** True after the worker's message that it listens. */
  get listens(): boolean {
    return this.#listens;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}

const COMMAND = fileURLToPath(new URL('../bin/postern.js', import.meta.url));
