import { randomBytes } from 'node:crypto';
import { type Listener, listen } from '@postern/node';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import { cannotListen, StartError } from './start-error.ts';
import { UsageError } from './usage-error.ts';
import { Worker } from './worker.ts';
import type { Ready, WorkerConfig } from './worker-config.ts';

/** How long workers may take, in milliseconds. */
export interface WorkerTimes {
  /** Until they listen. Default: 60,000. */
  readonly starting?: number;
  /** Until they have taken leave of their clients. Default: 25,000, which is more than they take if they can. */
  readonly stopping?: number;
}

/** Several processes that serve the same ports. One that dies is replaced. */
export class Workers {
  readonly #argv: readonly string[];
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #times: Required<WorkerTimes>;
  readonly #workers = new Set<Worker>();
  #orders: WorkerConfig;
  #started = false;
  /** How often the certificate was to be read again. */
  #reloads = 0;
  #stopping = false;

  /** `argv` is what follows `serve`. */
  constructor(argv: readonly string[], settings: Settings, log: Log, times: WorkerTimes = {}) {
    this.#argv = argv;
    this.#settings = settings;
    this.#log = log;
    this.#times = { starting: 60_000, stopping: 25_000, ...times };
    this.#orders = {
      ports: settings.listeners.map(({ endpoint }) => ('port' in endpoint ? endpoint.port : 0)),
      scramKey: randomBytes(32).toString('base64'),
      ticketSecret: randomBytes(48).toString('base64'),
      demoUser: settings.demoUser,
    };
  }

  /**
   * Starts so many. Resolves when all listen. If one cannot, none does, and it rejects, after what the worker said itself, with a
   * UsageError or a StartError; so it does if they are to stop before they have started.
   */
  async start(count: number): Promise<Ready> {
    await this.#expectFree();
    if (this.#stopping) throw new StartError(NOT_STARTED);
    // The first one picks the ports that were left open; the others join it there.
    const ready = await this.#readyOf(this.#begin());
    if (this.#stopping) throw new StartError(NOT_STARTED);
    this.#orders = { ...this.#orders, ports: ready.ports };
    const others = Array.from({ length: count - 1 }, () => this.#begin());
    await Promise.all(others.map((other) => this.#readyOf(other)));
    this.#started = true;
    return ready;
  }

  /** Has all read the certificate again: those that do not listen yet, when they do. */
  reload(): void {
    this.#reloads++;
    for (const worker of this.#workers) if (worker.listens) worker.signal('SIGHUP');
  }

  /** Ends all of them at once. */
  kill(): void {
    this.#stopping = true;
    for (const worker of this.#workers) worker.signal('SIGKILL');
  }

  /** Has all of them take leave of their clients, and resolves when they have gone. Those that do not go are killed. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const gone = Array.from(this.#workers, (worker) => worker.gone);
    for (const worker of this.#workers) worker.signal('SIGTERM');
    const insist = setTimeout(() => {
      this.#log.error('workers did not stop, and are killed', { workers: this.#workers.size });
      this.kill();
    }, this.#times.stopping);
    await Promise.all(gone);
    clearTimeout(insist);
  }

  /**
   * Another server of the same user that shares its ports would not be noticed, nor would two listeners of ours on one port: the system
   * would share the clients out, whatever the policy of each is.
   */
  async #expectFree(): Promise<void> {
    const probes: Listener[] = [];
    try {
      for (const { endpoint } of this.#settings.listeners) {
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

  async #readyOf(worker: Worker): Promise<Ready> {
    const ready = await worker.ready;
    if (ready !== undefined) return ready;
    // Where all are to leave, those that listen take their leave of their clients.
    if (!this.#stopping) this.kill();
    const { code } = await worker.gone;
    throw code === 2 ? new UsageError(NOT_STARTED) : new StartError(NOT_STARTED);
  }

  /** Starts one, and another in its place when it goes: soon if it has lived for a while, later each time if it has not. */
  #begin(pause = SHORTEST_PAUSE): Worker {
    const worker = new Worker(this.#argv, this.#orders, this.#times.starting);
    const began = performance.now();
    this.#workers.add(worker);
    const reloads = this.#reloads;
    void worker.ready.then((ready) => {
      // It may have read the certificate before.
      if (ready !== undefined && this.#reloads > reloads) worker.signal('SIGHUP');
    });
    void worker.gone.then((gone) => {
      this.#workers.delete(worker);
      if (this.#stopping || !(this.#started || worker.listens)) return;
      const lived = performance.now() - began;
      const next = lived > LONG_LIFE ? SHORTEST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE);
      this.#log.error('a worker died, another takes its place', { ...gone, milliseconds: next });
      setTimeout(() => {
        if (!this.#stopping) this.#begin(next);
      }, next);
    });
    return worker;
  }
}

const NOT_STARTED = 'a worker could not start';

/** Milliseconds. */
const LONG_LIFE = 10_000;
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
