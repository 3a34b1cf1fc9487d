import { once } from 'node:events';
import { checkerOf, type DemoUser, type Settings } from './settings.ts';

/** What all workers of a server have in common, so that it makes no difference which of them a client comes to. */
export interface WorkerConfig {
  /** The port of each listener; 0 as long as nobody has picked one. */
  readonly ports: readonly number[];
  /** The server key of SCRAM, in base64: salts of unknown users are the same everywhere. */
  readonly scramKey: string;
  /** In base64: a TLS session that one began another resumes. */
  readonly ticketSecret: string;
  readonly demoUser: DemoUser | undefined;
}

/** The message of a worker that listens. */
export interface Ready {
  readonly urls: readonly string[];
  readonly ports: readonly number[];
}

/** The process that has started this one, as this one sees it. */
export interface Supervisor {
  readonly orders: WorkerConfig;
  /** Tells it that this one listens. */
  tell(ready: Ready): void;
  /** From now on this process is not ended at once when the supervisor goes; resolves, to the reason, when it does. */
  leave<R>(reason: R): Promise<R>;
}

/** Who supervises this process, if it is a worker. A supervisor that goes takes this process along. */
export async function receiveWorkerConfig(): Promise<Supervisor | undefined> {
  if (process.env[WORKER] === undefined || process.send === undefined) return undefined;
  const follow = () => process.exit(1);
  process.once('disconnect', follow);
  // It may have gone before anybody listened.
  if (!process.connected) follow();
  const [orders] = (await once(process, 'message')) as [WorkerConfig];
  return {
    orders,
    tell: (ready) => void process.send?.(ready, undefined, undefined, () => {}),
    async leave(reason) {
      process.off('disconnect', follow);
      if (process.connected) await once(process, 'disconnect');
      return reason;
    },
  };
}

/** The settings of a worker: those that it has read, with what all of them have in common. */
export function applyWorkerConfig(
  settings: Settings,
  { ports, scramKey, ticketSecret, demoUser }: WorkerConfig,
): Settings {
  const { checkers, sasl, listeners, tls } = settings;
  return {
    ...settings,
    demoUser,
    checkers: demoUser === undefined ? checkers : [checkerOf(demoUser)],
    listeners: listeners.map((listener, at) => ({
      ...listener,
      endpoint: { ...listener.endpoint, port: ports[at] ?? 0 },
    })),
    sasl: { ...sasl, scram: { key: Buffer.from(scramKey, 'base64'), ...sasl.scram } },
    tls: tls && { ...tls, ticketSecret: Buffer.from(ticketSecret, 'base64') },
    reusePort: true,
  };
}

/** The environment variable of a worker. */
export const WORKER = 'POSTERN_WORKER';
