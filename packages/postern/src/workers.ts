import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Log } from './log.ts';
import { checkerOf, type Guest, type Settings } from './settings.ts';
import { StartError } from './start-error.ts';

/** What all workers of a server have in common, so that it makes no difference which of them a client comes to. */
export interface Orders {
  /** The port of each listener; 0 as long as nobody has picked one. */
  readonly ports: readonly number[];
  /** The server key of SCRAM, in base64: salts of unknown users are the same everywhere. */
  readonly scramKey: string;
  /** In base64: a TLS session that one began another resumes. */
  readonly ticketSecret: string;
  readonly guest: Guest | undefined;
}

/** What a worker says when it listens. */
export interface Ready {
  readonly urls: readonly string[];
  readonly ports: readonly number[];
}

/** Several processes that serve the same ports. One that dies is replaced. */
export class Workers {
  readonly #argv: readonly string[];
  readonly #log: Log;
  readonly #children = new Set<ChildProcess>();
  #orders: Orders;
  #stopping = false;

  /** `argv` is what follows `serve`. */
  constructor(argv: readonly string[], { listeners, guest }: Settings, log: Log) {
    this.#argv = argv;
    this.#log = log;
    this.#orders = {
      ports: listeners.map(({ endpoint }) => ('port' in endpoint ? endpoint.port : 0)),
      scramKey: randomBytes(32).toString('base64'),
      ticketSecret: randomBytes(48).toString('base64'),
      guest,
    };
  }

  /** Starts so many. Resolves when all listen. Rejects with a StartError, after what the worker said itself, if one cannot. */
  async start(count: number): Promise<Ready> {
    // The first one picks the ports that were left open; the others join it there.
    const first = this.#fork();
    const ready = await this.#readyOf(first);
    this.#orders = { ...this.#orders, ports: ready.ports };
    const others = Array.from({ length: count - 1 }, () => this.#fork());
    await Promise.all(others.map((other) => this.#readyOf(other)));
    for (const child of [first, ...others]) this.#keep(child, SHORTEST_PAUSE);
    return ready;
  }

  /** Passes a signal on to all. */
  signal(signal: NodeJS.Signals): void {
    for (const child of this.#children) child.kill(signal);
  }

  /** Has all of them take leave of their clients, and resolves when they have gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const gone = Array.from(this.#children, (child) => once(child, 'exit'));
    this.signal('SIGTERM');
    await Promise.all(gone);
  }

  #fork(): ChildProcess {
    const child = fork(COMMAND, ['serve', ...this.#argv], { env: { ...process.env, [WORKER]: '1' } });
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.send(this.#orders);
    return child;
  }

  async #readyOf(child: ChildProcess): Promise<Ready> {
    const said = once(child, 'message') as Promise<[Ready]>;
    const message = await Promise.race([said, once(child, 'exit').then(() => undefined)]);
    if (message !== undefined) return message[0];
    this.#stopping = true;
    this.signal('SIGKILL');
    throw new StartError('a worker could not start');
  }

  /** Puts another one in its place when it goes: soon if it has lived for a while, later each time if it has not. */
  #keep(child: ChildProcess, pause: number): void {
    const began = performance.now();
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      this.#log.error('a worker died, another takes its place', { code, signal });
      const lived = performance.now() - began;
      const next = lived > LONG_LIFE ? SHORTEST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE);
      setTimeout(() => {
        if (!this.#stopping) this.#keep(this.#fork(), next);
      }, next);
    });
  }
}

/** What the supervisor has told this process, if it is a worker. */
export async function receiveOrders(): Promise<Orders | undefined> {
  if (process.env[WORKER] === undefined || process.send === undefined) return undefined;
  const [orders] = (await once(process, 'message')) as [Orders];
  return orders;
}

/** The settings of a worker: those that it has read, with what all of them have in common. */
export function withOrders(settings: Settings, { ports, scramKey, ticketSecret, guest }: Orders): Settings {
  const { checkers, sasl, listeners, tls } = settings;
  return {
    ...settings,
    guest,
    checkers: guest === undefined ? checkers : [checkerOf(guest)],
    listeners: listeners.map((listener, at) => ({
      ...listener,
      endpoint: { ...listener.endpoint, port: ports[at] ?? 0 },
    })),
    sasl: { ...sasl, scram: { key: Buffer.from(scramKey, 'base64'), ...sasl.scram } },
    tls: tls && { ...tls, ticketSecret: Buffer.from(ticketSecret, 'base64') },
    reusePort: true,
  };
}

/** In the environment of a worker. */
const WORKER = 'POSTERN_WORKER';
const COMMAND = fileURLToPath(new URL('../bin/postern.js', import.meta.url));

/** Milliseconds. */
const LONG_LIFE = 10_000;
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;
