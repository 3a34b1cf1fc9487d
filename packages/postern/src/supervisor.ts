import { once } from 'node:events';
import { checkerOf, type Settings } from './settings.ts';
import { WORKER_VARIABLE, type WorkerConfig, type WorkerReady } from './worker-messages.ts';

/** The supervisor of this process, as a worker sees it. */
export interface Supervisor {
  readonly config: WorkerConfig;
  /** Reports to the supervisor that this worker listens. */
  reportReady(ready: WorkerReady): void;
  /**
   * Resolves to `reason` when the supervisor has ended. From this call on its end does not end this
   * process at once.
   */
  ended<R>(reason: R): Promise<R>;
}

/**
 * Returns the supervisor, or undefined if this process is no worker. Until `ended` is called, the
 * end of the supervisor ends this process with exit code 1.
 */
export async function findSupervisor(): Promise<Supervisor | undefined> {
  if (process.env[WORKER_VARIABLE] === undefined || process.send === undefined) return undefined;
  const exit = () => process.exit(1);
  process.once('disconnect', exit);
  // The supervisor may have ended before the listener was added.
  if (!process.connected) exit();
  const [config] = (await once(process, 'message')) as [WorkerConfig];
  return {
    config,
    reportReady: (ready) => void process.send?.(ready, undefined, undefined, () => {}),
    async ended(reason) {
      process.off('disconnect', exit);
      if (process.connected) await once(process, 'disconnect');
      return reason;
    },
  };
}

/** Returns a worker's own settings with the settings that all workers share. */
export function applyWorkerConfig(
  settings: Settings,
  { ports, scramKey, ticketSecret, demoUser }: WorkerConfig,
): Settings {
  const { checkers, listeners, tls } = settings;
  return {
    ...settings,
    demoUser,
    checkers: demoUser === undefined ? checkers : [checkerOf(demoUser)],
    listeners: listeners.map((listener, index) => ({
      ...listener,
      endpoint: { ...listener.endpoint, port: ports[index] ?? 0 },
    })),
    sharedScramKey: Buffer.from(scramKey, 'base64'),
    tls: tls && { ...tls, ticketSecret: Buffer.from(ticketSecret, 'base64') },
    reusePort: true,
  };
}
