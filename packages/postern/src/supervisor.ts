import { once } from 'node:events';
import { InheritedSockets } from '@postern/node';
import { ThrottleReplica } from '@postern/throttle';
import { checkerOf, type Settings } from './settings.ts';
import {
  type SupervisorMessage,
  WORKER_VARIABLE,
  type WorkerConfig,
  type WorkerMessage,
  type WorkerReady,
} from './worker-messages.ts';

/** The supervisor of this process, as a worker sees it. */
export interface Supervisor {
  readonly config: WorkerConfig;
  /** The failed logins of all workers. */
  readonly counts: ThrottleReplica;
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
  return {
    ...(await join()),
    reportReady: (ready) => send({ ready }),
    async ended(reason) {
      process.off('disconnect', exit);
      if (process.connected) await once(process, 'disconnect');
      return reason;
    },
  };
}

/** Resolves at the supervisor's first message. The throttle hears the later ones. */
async function join(): Promise<Pick<Supervisor, 'config' | 'counts'>> {
  const joined = Promise.withResolvers<Pick<Supervisor, 'config' | 'counts'>>();
  let counts: ThrottleReplica | undefined;
  process.on('message', (message: SupervisorMessage) => {
    if ('throttle' in message) return counts?.receive(message.throttle);
    const { config } = message;
    const guessKey = Buffer.from(config.guessKey, 'base64');
    counts = new ThrottleReplica({ send: (throttle) => send({ throttle }), workers: config.workers, guessKey });
    joined.resolve({ config, counts });
  });
  return await joined.promise;
}

function send(message: WorkerMessage): void {
  process.send?.(message, undefined, undefined, () => {});
}

/** Returns a worker's own settings with the settings that all workers share. */
export function applyWorkerConfig(
  settings: Settings,
  { config, counts }: Pick<Supervisor, 'config' | 'counts'>,
): Settings {
  const { inherited, ports, scramKey, ticketSecret, demoUser } = config;
  const { checkers, listeners, tls } = settings;
  return {
    ...settings,
    demoUser,
    inherited: new InheritedSockets(inherited),
    checkers: demoUser === undefined ? checkers : [checkerOf(demoUser)],
    listeners: listeners.map((listener, index) => ({
      ...listener,
      endpoint: { ...listener.endpoint, port: ports[index] ?? 0 },
    })),
    sharedCounts: counts,
    sharedScramKey: Buffer.from(scramKey, 'base64'),
    tls: tls && { ...tls, ticketSecret: Buffer.from(ticketSecret, 'base64') },
    reusePort: true,
  };
}
