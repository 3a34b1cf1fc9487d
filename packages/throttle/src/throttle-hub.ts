import { type Clock, ExpiringMap, systemClock } from '@postern/core';
import { InMemoryFailureCounts } from './failure-counts.ts';
import { KnownNetworks } from './known-networks.ts';
import type { ThrottleChange, ThrottleReport, ThrottleUpdate } from './throttle-messages.ts';

/** Sends an update to a replica, and calls `sent` when the next one may follow. */
export type SendUpdate = (update: ThrottleUpdate, sent: () => void) => void;

/** The hub's connection to one replica. */
export interface ThrottleChannel {
  /** Takes a message of the replica. */
  receive(report: ThrottleReport): void;
  /** Forgets the replica, and keeps its counts. */
  close(): void;
}

/**
 * Puts the changes of several replicas into one order and sends them on, so that the throttles of
 * all processes of a machine count together. It lives in the process that starts the others. Its
 * memory is bounded, also for a replica that reads nothing.
 *
 * @example
 * ```ts
 * import cluster from 'node:cluster';
 * import { ThrottleHub, type ThrottleReport } from '@postern/throttle';
 *
 * const hub = new ThrottleHub();
 * cluster.on('fork', (worker) => {
 *   const channel = hub.join((update, sent) => void worker.send(update, undefined, () => sent()));
 *   worker.on('message', (report: ThrottleReport) => channel.receive(report));
 *   worker.on('exit', () => channel.close());
 * });
 * ```
 */
export class ThrottleHub {
  readonly #counts: InMemoryFailureCounts;
  readonly #known = new KnownNetworks();
  readonly #guesses: ExpiringMap<string, number>;
  readonly #channels = new Set<Channel>();
  readonly #clock: Clock;

  /** `maximumKeys` bounds the counts. Default: 100,000. */
  constructor(options: { readonly clock?: Clock; readonly maximumKeys?: number } = {}) {
    const { clock = systemClock } = options;
    this.#clock = clock;
    this.#counts = new InMemoryFailureCounts(options);
    this.#guesses = new ExpiringMap(MAX_GUESSES, () => clock.now());
  }

  /** Connects a replica. The first update contains all that the hub remembers. */
  join(send: SendUpdate): ThrottleChannel {
    const channel = new Channel(send, () => [...this.#snapshot()]);
    this.#channels.add(channel);
    channel.flush();
    return {
      receive: ({ changes }) => this.#receive(channel, changes),
      close: () => this.#channels.delete(channel),
    };
  }

  #receive(from: Channel, changes: readonly ThrottleChange[]): void {
    for (const change of changes) this.#apply(change);
    for (const channel of this.#channels) {
      if (channel === from) channel.confirm();
      else channel.push(changes);
      channel.flush();
    }
  }

  #apply(change: ThrottleChange): void {
    switch (change[0]) {
      case 'failed':
        this.#counts.add(change[1], change[2], change[3]);
        break;
      case 'reset':
        this.#counts.reset(change[1]);
        break;
      case 'guessed': {
        const expiry = this.#clock.now() + change[2];
        this.#guesses.set(change[1], expiry, expiry);
        break;
      }
      case 'known':
        this.#known.add(change[1], change[2]);
        break;
    }
  }

  *#snapshot(): IterableIterator<ThrottleChange> {
    const now = this.#clock.now();
    for (const [key, failures, remaining] of this.#counts.entries()) yield ['failed', key, remaining, failures];
    for (const [digest, expiry] of this.#guesses.entries()) yield ['guessed', digest, expiry - now];
    for (const [name, network] of this.#known.entries()) yield ['known', name, network];
  }
}

/** The changes that a replica has not been sent yet. At most one update is on its way. */
class Channel {
  readonly #send: SendUpdate;
  readonly #snapshot: () => readonly ThrottleChange[];
  #changes: ThrottleChange[] = [];
  #own: number | undefined;
  /** True if the replica needs all that the hub remembers. */
  #isBehind = true;
  #isSending = false;

  constructor(send: SendUpdate, snapshot: () => readonly ThrottleChange[]) {
    this.#send = send;
    this.#snapshot = snapshot;
  }

  push(changes: readonly ThrottleChange[]): void {
    if (this.#isBehind) return;
    this.#isBehind = this.#changes.length + changes.length > MAX_WAITING_CHANGES;
    if (this.#isBehind) this.#changes = [];
    else this.#changes.push(...changes);
  }

  /** Confirms the replica's report at this place of the order. */
  confirm(): void {
    this.#own = this.#changes.length;
  }

  flush(): void {
    const isEmpty = this.#changes.length === 0 && this.#own === undefined && !this.#isBehind;
    if (this.#isSending || isEmpty) return;
    const update: ThrottleUpdate = this.#isBehind
      ? { changes: this.#snapshot(), own: this.#own, replaces: true }
      : { changes: this.#changes, own: this.#own };
    this.#changes = [];
    this.#own = undefined;
    this.#isBehind = false;
    this.#isSending = true;
    this.#send(update, () => {
      this.#isSending = false;
      this.flush();
    });
  }
}

/** A replica that is further behind gets all that the hub remembers instead. */
const MAX_WAITING_CHANGES = 10_000;
const MAX_GUESSES = 10_000;
