import { Warnings } from '@postern/conversation';
import { type Clock, type MaybePromise, systemClock } from '@postern/core';
import { listen } from './listen.ts';
import type { ListenOptions } from './listen-options.ts';
import type { Listener } from './listener.ts';

/** The parts of a server, which {@link serve} starts and {@link Server.close} ends in order. */
export interface ServeOptions {
  /** The listeners, which start one after another in this order. */
  readonly listeners: readonly ListenOptions[];
  /** The portal of the protocols. Default: none. */
  readonly portal?: Drainable;
  /**
   * Objects that the server disposes of at its end, in this order: user databases, deliveries. The
   * names stand in errors. An object without `Symbol.asyncDispose` and `Symbol.dispose` is left
   * alone. Default: none.
   */
  readonly resources?: Readonly<Record<string, object>> | Iterable<readonly [name: string, resource: object]>;
  /** The milliseconds that transactions have after `close()`. Default: 10,000. */
  readonly shutdownTimeout?: number;
  /** The clock of the disposals' timeout. Default: the system's. */
  readonly clock?: Clock;
}

/** A portal as a server sees it: `Portal` of `@postern/cred` is one. */
export interface Drainable {
  /** Logs out all users and refuses new logins. It must end within a bounded time. */
  drain(): MaybePromise<void>;
}

/**
 * Starts all listeners, or none of them. If a listener cannot start, the function closes everything
 * that it was given, the resources included, and rejects.
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import { serve } from '@postern/node';
 *
 * await using server = await serve({
 *   listeners: [
 *     {
 *       endpoint: { host: '127.0.0.1', port: 2500 },
 *       protocol: async (conversation) => conversation.say('220 hello\r\n'),
 *     },
 *   ],
 * });
 * for (const { url } of server.listeners) console.log(`listening ${url}`);
 * await once(process, 'SIGTERM');
 * ```
 *
 * @throws ListenError that names the endpoint of the listener that cannot start.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const listeners: Listener[] = [];
  const server = new Server(listeners, options);
  try {
    for (const listener of options.listeners) listeners.push(await listen(listener));
    return server;
  } catch (error) {
    // The caller gets the reason why nothing started; a failure to clean up is a warning.
    await server.close({ shutdownTimeout: 0 }).catch((failure: unknown) => {
      new Warnings().warn('a failed start could not close everything', failure);
    });
    throw error;
  }
}

/** A server that listens. {@link serve} makes it; `await using` closes it. */
export class Server implements AsyncDisposable {
  /** The listeners, in the order of the options. */
  readonly listeners: readonly Listener[];
  readonly #options: ServeOptions;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(listeners: readonly Listener[], options: ServeOptions) {
    this.listeners = listeners;
    this.#options = options;
  }

  /**
   * Closes the server in the order in which its parts depend on each other. The listeners accept no
   * client, and transactions have `shutdownTimeout` milliseconds to end. Then the portal logs out
   * all users. At last the resources are disposed of, one after another, each within 10,000
   * milliseconds. A part that fails does not keep the others open. Every call returns the same
   * promise.
   *
   * @throws AggregateError of all failures, after everything else is closed.
   */
  close({ shutdownTimeout }: { readonly shutdownTimeout?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(shutdownTimeout ?? this.#options.shutdownTimeout ?? DEFAULT_SHUTDOWN_TIMEOUT_MS);
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(shutdownTimeout: number): Promise<void> {
    const { clock = systemClock, portal, resources = {} } = this.#options;
    const errors: unknown[] = [];
    const closed = await Promise.allSettled(this.listeners.map((listener) => listener.close({ shutdownTimeout })));
    for (const result of closed) if (result.status === 'rejected') errors.push(result.reason);
    await collect(errors, () => portal?.drain());
    const entries = Symbol.iterator in resources ? resources : Object.entries(resources);
    // One object may stand there under two names.
    const names = new Map(Array.from(entries, ([name, resource]) => [resource, name] as const));
    for (const [resource, name] of names) await collect(errors, () => dispose(resource, name, clock));
    if (errors.length > 0) throw new AggregateError(errors, `closing failed: ${errors.map(messageOf).join('; ')}`);
  }
}

async function collect(errors: unknown[], end: () => MaybePromise<void>): Promise<void> {
  try {
    await end();
  } catch (error) {
    errors.push(error);
  }
}

/**
 * @throws Error that begins with the name, if the disposal fails or takes more than
 * `DISPOSE_TIMEOUT_MS`.
 */
async function dispose(resource: object, name: string, clock: Clock): Promise<void> {
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: syncDispose } = resource as Partial<
    AsyncDisposable & Disposable
  >;
  const method = asyncDispose ?? syncDispose;
  if (method === undefined) return;
  const late = Promise.withResolvers<never>();
  const onTimeout = (): void => late.reject(new Error(`took longer than ${DISPOSE_TIMEOUT_MS} ms`));
  using _timer = clock.after(DISPOSE_TIMEOUT_MS, onTimeout, true);
  const end = async (): Promise<void> => method.call(resource as AsyncDisposable & Disposable);
  try {
    await Promise.race([end(), late.promise]);
  } catch (cause) {
    throw new Error(`${name}: could not be disposed of: ${messageOf(cause)}`, { cause });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const DEFAULT_SHUTDOWN_TIMEOUT_MS = 10_000;
const DISPOSE_TIMEOUT_MS = 10_000;
