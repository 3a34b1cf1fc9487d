import type { MaybePromise } from '@postern/conversation';
import { dispose } from './dispose.ts';
import type { Listener } from './listener.ts';

/** The parts of a server, in the order in which {@link shutDown} ends them. */
export interface ShutDownOptions {
  readonly listeners: Iterable<Listener>;
  /** Logs out the clients and refuses new logins: `() => portal.drain()`. Called when all listeners are closed. */
  readonly drain: () => MaybePromise<void>;
  /** What the server disposes of at the end, each with its name for an error. Others are left alone. */
  readonly resources: Iterable<readonly [resource: object, name: string]>;
  /** How long transactions may go on, in milliseconds. */
  readonly shutdownTimeout: number;
}

/**
 * Ends a server in the order in which its parts depend on each other: the listeners, the logins, the resources one after another. A
 * part that fails does not keep the others. Rejects at the end with an AggregateError of all failures.
 */
export async function shutDown({ listeners, drain, resources, shutdownTimeout }: ShutDownOptions): Promise<void> {
  const errors: unknown[] = [];
  const closed = await Promise.allSettled(Array.from(listeners, (listener) => listener.close({ shutdownTimeout })));
  for (const result of closed) if (result.status === 'rejected') errors.push(result.reason);
  await settled(drain, errors);
  for (const [resource, name] of resources) await settled(() => dispose(resource, name), errors);
  if (errors.length > 0) throw new AggregateError(errors, 'not everything could be closed');
}

async function settled(end: () => MaybePromise<void>, errors: unknown[]): Promise<void> {
  try {
    await end();
  } catch (error) {
    errors.push(error);
  }
}
