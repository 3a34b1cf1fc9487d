import { randomBytes } from 'node:crypto';
import { type Listener, listen } from '@postern/node';
import { ThrottleHub } from '@postern/throttle';
import { cannotListen, StartError, UsageError } from './errors.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import { Worker } from './worker.ts';
import type { WorkerConfig, WorkerReady } from './worker-messages.ts';

/** The timeouts of workers. */
export interface WorkerTimeouts {
  /** Milliseconds until a worker listens. Default: 60,000. */
  readonly startTimeout?: number;
  /**
   * Milliseconds until a worker has ended after SIGTERM. Default: 25,000, more than an orderly end
   * takes.
   */
  readonly stopTimeout?: number;
}

/** Several processes that serve the same ports. A worker that dies is replaced. */
export class Workers {
  readonly #argv: readonly string[];
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #timeouts: Required<WorkerTimeouts>;
  readonly #workers = new Set<Worker>();
  readonly #hub = new ThrottleHub();
  #config: WorkerConfig;
  #started = false;
  /** The number of calls of `reload`. */
  #reloads = 0;
  #stopping = false;

  /** @param argv The arguments after `serve`. */
  constructor(argv: readonly string[], settings: Settings, log: Log, timeouts: WorkerTimeouts = {}) {
    this.#argv = argv;
    this.#settings = settings;
    this.#log = log;
    this.#timeouts = { startTimeout: 60_000, stopTimeout: 25_000, ...timeouts };
    this.#config = {
      ports: settings.listeners.map(({ endpoint }) => ('port' in endpoint ? endpoint.port : 0)),
      scramKey: randomBytes(32).toString('base64'),
      ticketSecret: randomBytes(48).toString('base64'),
      guessKey: randomBytes(32).toString('base64'),
      inherited: settings.inherited?.sockets ?? [],
      workers: settings.workers,
      // A user of a database is there for every worker.
      demoUser: settings.defaultDatabase === undefined ? settings.demoUser : undefined,
    };
  }

  /**
   * Starts `count` workers. Resolves when all of them listen. If one cannot start, all are killed.
   *
   * @throws UsageError or StartError if a worker cannot start, after the worker has printed the
   * reason.
   * @throws StartError if `stop` is called before all workers listen.
   */
  async start(count: number): Promise<WorkerReady> {
    await this.#expectFreePorts();
    if (this.#stopping) throw new StartError(NOT_STARTED);
    this.#config = { ...this.#config, workers: count };
    // The first worker picks the ports that the options leave open; the others share them.
    const ready = await this.#readyOf(this.#begin());
    if (this.#stopping) throw new StartError(NOT_STARTED);
    this.#config = { ...this.#config, ports: ready.ports };
    const others = Array.from({ length: count - 1 }, () => this.#begin());
    await Promise.all(others.map((other) => this.#readyOf(other)));
    this.#started = true;
    return ready;
  }

  /**
   * Sends SIGHUP to all workers, so that they reload files: to a worker that starts, as soon as it
   * listens.
   */
  reload(): void {
    this.#reloads++;
    for (const worker of this.#workers) if (worker.listens) worker.signal('SIGHUP');
  }

  /** Kills all workers. */
  kill(): void {
    this.#stopping = true;
    for (const worker of this.#workers) worker.signal('SIGKILL');
  }

  /**
   * Sends SIGTERM to all workers, and kills those that run after `stopTimeout`. Resolves when all
   * have ended.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const ended = Array.from(this.#workers, (worker) => worker.ended);
    for (const worker of this.#workers) worker.signal('SIGTERM');
    const timer = setTimeout(() => {
      this.#log.error('workers did not stop, and are killed', { workers: this.#workers.size });
      this.kill();
    }, this.#timeouts.stopTimeout);
    await Promise.all(ended);
    clearTimeout(timer);
  }

  /**
   * Listens once without sharing, and closes again. Otherwise another server of the same user, or a
   * second listener on the same port, would share the port without an error. The system would
   * distribute the clients between servers with different policies.
   */
  async #expectFreePorts(): Promise<void> {
    const probes: Listener[] = [];
    try {
      const { inherited, listeners } = this.#settings;
      for (const { endpoint, takeOver } of listeners) {
        // Such a port is that of the server before, or of the service manager.
        if (takeOver === true || (await inherited?.find(endpoint)) !== undefined) continue;
        probes.push(
          await listen({ endpoint, protocol: async () => {} }).catch((error: unknown) => {
            throw cannotListen(error);
          }),
        );
      }
    } finally {
      await Promise.all(probes.map((probe) => probe.close({ shutdownTimeout: 0 })));
    }
  }

  async #readyOf(worker: Worker): Promise<WorkerReady> {
    const ready = await worker.ready;
    if (ready !== undefined) return ready;
    // During `stop` the workers that listen end in order.
    if (!this.#stopping) this.kill();
    const { code } = await worker.ended;
    throw code === 2 ? new UsageError(NOT_STARTED) : new StartError(NOT_STARTED);
  }

  /**
   * Starts a worker, and replaces it when it dies: after {@link MIN_RESTART_DELAY_MS} if it lived
   * longer than {@link LONG_LIFE_MS}, otherwise after twice the delay of the last restart.
   */
  #begin(delay = MIN_RESTART_DELAY_MS): Worker {
    const worker = new Worker(this.#argv, this.#config, this.#hub, this.#timeouts.startTimeout);
    const began = performance.now();
    this.#workers.add(worker);
    const reloads = this.#reloads;
    void worker.ready.then((ready) => {
      // The worker may have read its files before the reload.
      if (ready !== undefined && this.#reloads > reloads) worker.signal('SIGHUP');
    });
    void worker.ended.then((end) => {
      this.#workers.delete(worker);
      if (this.#stopping || !(this.#started || worker.listens)) return;
      const lifetime = performance.now() - began;
      const next = lifetime > LONG_LIFE_MS ? MIN_RESTART_DELAY_MS : Math.min(delay * 2, MAX_RESTART_DELAY_MS);
      this.#log.error('a worker died, and is replaced', { ...end, milliseconds: next });
      setTimeout(() => {
        if (!this.#stopping) this.#begin(next);
      }, next);
    });
    return worker;
  }
}

const NOT_STARTED = 'a worker could not start';
const LONG_LIFE_MS = 10_000;
const MIN_RESTART_DELAY_MS = 100;
const MAX_RESTART_DELAY_MS = 30_000;
