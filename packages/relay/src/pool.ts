import type { Clock } from '@postern/conversation';
import type { SmtpClient } from '@postern/esmtp/client';
import type { ConnectionShares } from './connection-shares.ts';
import { Lease, type LeaseOwner } from './lease.ts';

/** The source of the connections of a pool, and their limits. */
export interface PoolOptions {
  readonly open: () => Promise<SmtpClient>;
  /** The counts of the connections in use, by client. */
  readonly shares: ConnectionShares;
  readonly maxConnections: number;
  /** The most leases of one connection. */
  readonly maxMessagesPerConnection: number;
  /** The milliseconds after which an unused connection is closed. */
  readonly idleTimeout: number;
  readonly clock: Clock;
}

/**
 * The connections to one server, at most `maxConnections`, leased to one transaction after the
 * other.
 */
export class Pool implements LeaseOwner {
  readonly #options: PoolOptions;
  /** The unused connections. The last one was used most recently. */
  readonly #idle: Idle[] = [];
  /** The leases that wait for their clients, with the time of the last command, in their order. */
  readonly #held = new Map<Lease, number>();
  #sweep: Disposable | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Leases a connection for a new transaction to the client with these keys; a new connection if
   * `fresh`.
   *
   * @throws Congested, and any error of `open`
   */
  async acquire(fresh: boolean, keys: readonly string[]): Promise<Lease> {
    const { shares } = this.#options;
    if (!shares.take(keys)) {
      this.#reclaimFor(keys);
      if (!shares.take(keys)) await shares.wait(keys);
    }
    try {
      return (fresh ? undefined : await this.#reuse(keys)) ?? (await this.#open(keys));
    } catch (error) {
      shares.give(keys);
      throw error;
    }
  }

  returned(lease: Lease): void {
    if (this.#closed || lease.uses >= this.#options.maxMessagesPerConnection) {
      // The server counts the connection until it is closed.
      void quit(lease.client).then(() => this.lost(lease));
      return;
    }
    this.#keep(lease);
    this.lost(lease);
  }

  lost(lease: Lease): void {
    this.#options.shares.give(lease.keys);
  }

  held(lease: Lease): void {
    this.#held.set(lease, this.#options.clock.now());
    if (this.#options.shares.isAwaited || this.#closed) lease.reclaim();
    else this.#sweepLater();
  }

  resumed(lease: Lease): void {
    this.#held.delete(lease);
  }

  /** Sends QUIT on all unused connections. A connection in use is closed when it is returned. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#sweep?.[Symbol.dispose]();
    for (const lease of this.#held.keys()) lease.reclaim();
    const clients = this.#idle.splice(0).map((idle) => idle.take());
    await Promise.all(clients.map(quit));
  }

  /**
   * Reclaims held connections for this client: one of each key whose share is used up, and one of
   * any key.
   */
  #reclaimFor(keys: readonly string[]): void {
    const { shares } = this.#options;
    const held = [...this.#held.keys()];
    for (const key of shares.exhausted(keys)) held.find((lease) => lease.keys.includes(key))?.reclaim();
    if (shares.isFull) this.#held.keys().next().value?.reclaim();
  }

  /**
   * Returns a lease of an unused connection if the server still replies. Otherwise it closes all
   * unused connections.
   */
  async #reuse(keys: readonly string[]): Promise<Lease | undefined> {
    const idle = this.#idle.pop();
    if (idle === undefined) return undefined;
    const client = idle.take();
    if (await reset(client)) return new Lease(this, client, idle.uses + 1, keys);
    client.conversation.destroy();
    for (const other of this.#idle.splice(0)) other.take().conversation.destroy();
    return undefined;
  }

  async #open(keys: readonly string[]): Promise<Lease> {
    // The new connection counts towards `maxConnections`: close the oldest unused one.
    const { shares, maxConnections, open } = this.#options;
    const surplus = shares.taken + this.#idle.length > maxConnections ? this.#idle.shift() : undefined;
    if (surplus !== undefined) await quit(surplus.take());
    return new Lease(this, await open(), 1, keys);
  }

  #keep({ client, uses }: Lease): void {
    const idle = new Idle(client, uses, this.#options.clock.now(), () => {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      idle.take().conversation.destroy();
    });
    // Unexpected input would be read as the reply to the next command.
    if (client.conversation.signal.aborted || client.conversation.hasInput) {
      idle.take().conversation.destroy();
      return;
    }
    this.#idle.push(idle);
    this.#sweepLater();
  }

  #sweepLater(): void {
    const { clock, idleTimeout } = this.#options;
    this.#sweep ??= clock.after(idleTimeout, () => {
      this.#sweep = undefined;
      this.#sweepNow(clock.now() - idleTimeout);
    });
  }

  #sweepNow(before: number): void {
    for (const [lease, since] of this.#held) {
      if (since <= before) lease.reclaim();
    }
    const fresh = this.#idle.findIndex(({ since }) => since > before);
    for (const idle of this.#idle.splice(0, fresh < 0 ? this.#idle.length : fresh)) void quit(idle.take());
    if (this.#idle.length > 0 || this.#held.size > 0) this.#sweepLater();
  }
}

/** An unused connection, which is dropped when the server closes it. */
class Idle {
  readonly since: number;
  readonly uses: number;
  readonly #client: SmtpClient;
  readonly #onGone: () => void;

  constructor(client: SmtpClient, uses: number, since: number, onGone: () => void) {
    this.#client = client;
    this.since = since;
    this.uses = uses;
    this.#onGone = onGone;
    const { conversation } = client;
    conversation.treatHalfCloseAsDisconnect = true;
    conversation.signal.addEventListener('abort', onGone, { once: true });
  }

  /** Ends the watch and returns the client. */
  take(): SmtpClient {
    const { conversation } = this.#client;
    conversation.signal.removeEventListener('abort', this.#onGone);
    conversation.treatHalfCloseAsDisconnect = false;
    return this.#client;
  }
}

/**
 * Sends RSET, which ends an open transaction (RFC 5321 §4.1.1.5). Returns true if the server
 * replies to it.
 */
async function reset(client: SmtpClient): Promise<boolean> {
  const { conversation } = client;
  const { readTimeout } = conversation;
  conversation.readTimeout = Math.min(readTimeout, RESET_TIMEOUT_MS);
  try {
    const { code } = await client.command('RSET');
    return code === 250 && !conversation.hasInput;
  } catch {
    return false;
  } finally {
    conversation.readTimeout = readTimeout;
  }
}

/** Sends QUIT and closes the connection. Never rejects. */
async function quit(client: SmtpClient): Promise<void> {
  client.conversation.readTimeout = Math.min(client.conversation.readTimeout, QUIT_TIMEOUT_MS);
  await client[Symbol.asyncDispose]();
}

/** The most milliseconds until the reply to RSET. */
const RESET_TIMEOUT_MS = 10_000;
/** The most milliseconds until the reply to QUIT. */
const QUIT_TIMEOUT_MS = 3_000;
