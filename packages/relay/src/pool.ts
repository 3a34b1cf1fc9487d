import type { Clock } from '@postern/conversation';
import type { SmtpClient } from '@postern/esmtp/client';
import type { ConnectionShares } from './connection-shares.ts';
import { Lease, type Lender } from './lease.ts';

/** Where connections come from, and how many, for how long. */
export interface PoolOptions {
  readonly open: () => Promise<SmtpClient>;
  /** How many connections there may be, and who may have them. */
  readonly places: ConnectionShares;
  readonly maxConnections: number;
  /** How many times one may be lent. */
  readonly maxMessagesPerConnection: number;
  /** How long one may lie unused, in milliseconds. */
  readonly idleTimeout: number;
  readonly clock: Clock;
}

/** Connections to one server: lent to one transaction after the other, never more than so many. */
export class Pool implements Lender {
  readonly #options: PoolOptions;
  /** The last one was used last. */
  readonly #idle: Idle[] = [];
  /** Those lent at which nothing is going on, and since when; the first one was held first. */
  readonly #held = new Map<Lease, number>();
  #sweep: Disposable | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Lends the client with these keys a connection on which a transaction can begin, a new one if `fresh`.
   * Rejects with Congested, or with what `open` rejects with.
   */
  async acquire(fresh: boolean, keys: readonly string[]): Promise<Lease> {
    const { places } = this.#options;
    if (!places.take(keys)) {
      this.#reclaimFor(keys);
      if (!places.take(keys)) await places.wait(keys);
    }
    try {
      return (fresh ? undefined : await this.#reuse(keys)) ?? (await this.#open(keys));
    } catch (error) {
      places.give(keys);
      throw error;
    }
  }

  takeBack(lease: Lease): void {
    if (this.#closed || lease.uses >= this.#options.maxMessagesPerConnection) {
      // The server counts the connection until it is closed.
      void quit(lease.client).then(() => this.writeOff(lease));
      return;
    }
    this.#keep(lease);
    this.writeOff(lease);
  }

  writeOff(lease: Lease): void {
    this.#options.places.give(lease.keys);
  }

  held(lease: Lease): void {
    this.#held.set(lease, this.#options.clock.now());
    if (this.#options.places.isAwaited || this.#closed) lease.reclaim();
    else this.#sweepLater();
  }

  resumed(lease: Lease): void {
    this.#held.delete(lease);
  }

  /** Takes leave of the server on every connection that is not in use, and on the others as they are given back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#sweep?.[Symbol.dispose]();
    for (const lease of this.#held.keys()) lease.reclaim();
    const clients = this.#idle.splice(0).map((idle) => idle.leave());
    await Promise.all(clients.map(quit));
  }

  /** Takes held connections away that keep this client from a place: one of each key that has its share, and one of anybody. */
  #reclaimFor(keys: readonly string[]): void {
    const { places } = this.#options;
    const held = [...this.#held.keys()];
    for (const key of places.exhausted(keys)) held.find((lease) => lease.keys.includes(key))?.reclaim();
    if (places.isFull) this.#held.keys().next().value?.reclaim();
  }

  /** One that was used before, if the server still answers there. If not, the others are no better. */
  async #reuse(keys: readonly string[]): Promise<Lease | undefined> {
    const idle = this.#idle.pop();
    if (idle === undefined) return undefined;
    const client = idle.leave();
    if (await reset(client)) return new Lease(this, client, idle.uses + 1, keys);
    client.conversation.destroy();
    for (const other of this.#idle.splice(0)) other.leave().conversation.destroy();
    return undefined;
  }

  async #open(keys: readonly string[]): Promise<Lease> {
    // With the new connection there may be no more of them than the options say.
    const { places, maxConnections, open } = this.#options;
    const surplus = places.taken + this.#idle.length > maxConnections ? this.#idle.shift() : undefined;
    if (surplus !== undefined) await quit(surplus.leave());
    return new Lease(this, await open(), 1, keys);
  }

  #keep({ client, uses }: Lease): void {
    const idle = new Idle(client, uses, this.#options.clock.now(), () => {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      idle.leave().conversation.destroy();
    });
    // What was not asked for would be taken for the answer to what is asked next.
    if (client.conversation.signal.aborted || client.conversation.hasInput) {
      idle.leave().conversation.destroy();
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
    for (const idle of this.#idle.splice(0, fresh < 0 ? this.#idle.length : fresh)) void quit(idle.leave());
    if (this.#idle.length > 0 || this.#held.size > 0) this.#sweepLater();
  }
}

/** A connection that nobody uses, watched for the server's leaving. */
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

  /** Watches no longer. */
  leave(): SmtpClient {
    const { conversation } = this.#client;
    conversation.signal.removeEventListener('abort', this.#onGone);
    conversation.treatHalfCloseAsDisconnect = false;
    return this.#client;
  }
}

/** Whether the server answers, and has forgotten whatever transaction was open (RFC 5321 §4.1.1.5). */
async function reset(client: SmtpClient): Promise<boolean> {
  const { conversation } = client;
  const { readTimeout } = conversation;
  conversation.readTimeout = Math.min(readTimeout, SHORT_PATIENCE);
  try {
    const { code } = await client.command('RSET');
    return code === 250 && !conversation.hasInput;
  } catch {
    return false;
  } finally {
    conversation.readTimeout = readTimeout;
  }
}

/** Does not fail. */
async function quit(client: SmtpClient): Promise<void> {
  client.conversation.readTimeout = Math.min(client.conversation.readTimeout, LEAVING_PATIENCE);
  await client[Symbol.asyncDispose]();
}

/** For a server that has nothing to do but to answer: milliseconds. */
const SHORT_PATIENCE = 10_000;
const LEAVING_PATIENCE = 3_000;
