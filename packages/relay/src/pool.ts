import { type Clock, type Deadlines, TimedOut } from '@postern/conversation';
import type { SmtpClient } from '@postern/esmtp/client';
import { Congested } from './errors.ts';
import { Lease, type Lender } from './lease.ts';

/** Where connections come from, and how many, for how long. */
export interface PoolOptions {
  readonly open: () => Promise<SmtpClient>;
  /** How many connections there may be. */
  readonly connections: number;
  /** How many times one may be lent. */
  readonly maxMessagesPerConnection: number;
  /** How long one may lie unused, in milliseconds. */
  readonly idleTime: number;
  /** How long one may be waited for, in milliseconds. */
  readonly patience: number;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
}

/** Connections to one server: lent to one transaction after the other, never more than so many. */
export class Pool implements Lender {
  readonly #options: PoolOptions;
  /** The last one was used last. */
  readonly #idle: Idle[] = [];
  /** Those lent at which nothing is going on, and since when; the first one was held first. */
  readonly #held = new Map<Lease, number>();
  /** Each is called when it has a place. */
  readonly #waiting = new Set<() => void>();
  #lent = 0;
  #sweep: Disposable | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * A connection on which a transaction can begin, a new one if `fresh`. Rejects with Congested, or
   * with what `open` rejects with.
   */
  async acquire(fresh: boolean): Promise<Lease> {
    await this.#enter();
    try {
      return (fresh ? undefined : await this.#reuse()) ?? (await this.#open());
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  takeBack(lease: Lease): void {
    if (this.#closed || lease.uses >= this.#options.maxMessagesPerConnection) {
      // The server counts the connection until it is closed.
      void quit(lease.client).then(() => this.#leave());
      return;
    }
    this.#keep(lease);
    this.#leave();
  }

  writeOff(): void {
    this.#leave();
  }

  held(lease: Lease): void {
    this.#held.set(lease, this.#options.clock.now());
    if (this.#waiting.size > 0 || this.#closed) lease.reclaim();
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

  /** Waits for a place among so many. */
  async #enter(): Promise<void> {
    const { connections, patience, deadlines } = this.#options;
    if (this.#lent >= connections) this.#held.keys().next().value?.reclaim();
    if (this.#lent < connections) {
      this.#lent++;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.add(turn.resolve);
    try {
      await deadlines.within(patience, turn.promise);
    } catch (error) {
      // A place that came too late is another's.
      if (!this.#waiting.delete(turn.resolve)) this.#leave();
      throw error instanceof TimedOut ? new Congested() : error;
    }
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#lent--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** One that was used before, if the server still answers there. If not, the others are no better. */
  async #reuse(): Promise<Lease | undefined> {
    const idle = this.#idle.pop();
    if (idle === undefined) return undefined;
    const client = idle.leave();
    if (await reset(client)) return new Lease(this, client, idle.uses + 1);
    client.conversation.destroy();
    for (const other of this.#idle.splice(0)) other.leave().conversation.destroy();
    return undefined;
  }

  async #open(): Promise<Lease> {
    // With the new connection there may be no more of them than the options say.
    const surplus = this.#lent + this.#idle.length > this.#options.connections ? this.#idle.shift() : undefined;
    if (surplus !== undefined) await quit(surplus.leave());
    return new Lease(this, await this.#options.open(), 1);
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
    const { clock, idleTime } = this.#options;
    this.#sweep ??= clock.after(idleTime, () => {
      this.#sweep = undefined;
      this.#sweepNow(clock.now() - idleTime);
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
    conversation.leaveOnEnd = true;
    conversation.signal.addEventListener('abort', onGone, { once: true });
  }

  /** Watches no longer. */
  leave(): SmtpClient {
    const { conversation } = this.#client;
    conversation.signal.removeEventListener('abort', this.#onGone);
    conversation.leaveOnEnd = false;
    return this.#client;
  }
}

/** Whether the server answers, and has forgotten whatever transaction was open (RFC 5321 §4.1.1.5). */
async function reset(client: SmtpClient): Promise<boolean> {
  const { conversation } = client;
  const { patience } = conversation;
  conversation.patience = Math.min(patience, SHORT_PATIENCE);
  try {
    const { code } = await client.command('RSET');
    return code === 250 && !conversation.hasInput;
  } catch {
    return false;
  } finally {
    conversation.patience = patience;
  }
}

/** Does not fail. */
async function quit(client: SmtpClient): Promise<void> {
  client.conversation.patience = Math.min(client.conversation.patience, LEAVING_PATIENCE);
  await client[Symbol.asyncDispose]();
}

/** For a server that has nothing to do but to answer: milliseconds. */
const SHORT_PATIENCE = 10_000;
const LEAVING_PATIENCE = 3_000;
