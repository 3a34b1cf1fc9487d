import { type Clock, systemClock } from '@postern/core';
import { type FailureCounts, InMemoryFailureCounts } from './failure-counts.ts';
import { KnownNetworks } from './known-networks.ts';
import { userKey, userOfKey } from './login-keys.ts';
import { RecentGuesses } from './recent-guesses.ts';
import type { ThrottleMemory } from './throttle-memory.ts';
import type { ThrottleChange, ThrottleReport, ThrottleUpdate } from './throttle-messages.ts';

/** The parts of a {@link ThrottleReplica}. */
export interface ThrottleReplicaOptions {
  /** Sends a message to the hub. */
  readonly send: (report: ThrottleReport) => void;
  /** The number of processes with a replica. They share `atOnce` of each limit, rounded up. */
  readonly workers: number;
  /** A secret of all replicas, such as 32 random octets: the key of the digests of passwords. */
  readonly guessKey: Uint8Array;
  /** Measures the windows. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * The failures, recent guesses and known networks of all processes of a machine, as one process
 * sees them. Pass it to `withThrottle` as `counts`. It reads without a wait. A failed login waits
 * until the `ThrottleHub` has put its failure into the order of all failures, for at most one
 * second. At most one report is on its way, so that a flood of failures slows itself down and not
 * the hub.
 *
 * @example
 * ```ts
 * import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
 * import {
 *   ThrottleReplica,
 *   type ThrottleReport,
 *   type ThrottleUpdate,
 *   withThrottle,
 * } from '@postern/throttle';
 *
 * declare const guessKey: Uint8Array;
 * const send = (report: ThrottleReport) => void process.send?.(report);
 * const replica = new ThrottleReplica({ send, workers: 4, guessKey });
 * process.on('message', (update: ThrottleUpdate) => replica.receive(update));
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
 * const checker = withThrottle(users, { counts: replica });
 * ```
 */
export class ThrottleReplica implements FailureCounts, ThrottleMemory {
  readonly workers: number;
  readonly #send: (report: ThrottleReport) => void;
  readonly #clock: Clock;
  /** The failures in the hub's order. */
  readonly #confirmed: InMemoryFailureCounts;
  /** The failures of this process that the hub has not confirmed. They expire without the hub. */
  readonly #unconfirmed: InMemoryFailureCounts;
  readonly #guesses: RecentGuesses;
  readonly #known = new KnownNetworks();
  /** The report on its way. */
  #sent: Report | undefined;
  /** The report that follows. */
  #next = new Report();
  #isLate = false;

  constructor({ send, workers, guessKey, clock = systemClock }: ThrottleReplicaOptions) {
    this.#send = send;
    this.workers = workers;
    this.#clock = clock;
    this.#confirmed = new InMemoryFailureCounts({ clock });
    this.#unconfirmed = new InMemoryFailureCounts({ clock });
    this.#guesses = new RecentGuesses(clock, guessKey);
  }

  /** @internal */
  get counts(): FailureCounts {
    return this;
  }

  get(key: string): number {
    return this.#confirmed.get(key) + this.#unconfirmed.get(key);
  }

  /** Resolves when the hub has counted the failure. */
  async add(key: string, window: number): Promise<void> {
    const confirmed = this.#report(['failed', key, window, 1]);
    // A hub that does not answer must not take memory without bound: count for this process alone.
    if (!confirmed) return this.#confirmed.add(key, window);
    this.#addUnconfirmed(key, window, 1);
    if (!this.#isLate) await confirmed;
  }

  reset(key: string): void {
    this.#confirmed.reset(key);
    this.#unconfirmed.reset(key);
    void this.#report(['reset', key]);
  }

  remaining(key: string): number {
    return Math.max(this.#confirmed.remaining(key), this.#unconfirmed.remaining(key));
  }

  /** @internal */
  isNewGuess(guess: readonly string[], window: number): boolean {
    const digest = this.#guesses.digestOf(guess);
    if (!this.#guesses.add(digest, window)) return false;
    void this.#report(['guessed', digest, window]);
    return true;
  }

  /** @internal */
  hasLoggedIn(hashedName: string, network: string): boolean {
    return this.#known.has(hashedName, network);
  }

  /** @internal */
  addLogin(hashedName: string, network: string): void {
    const isNew = !this.#known.has(hashedName, network);
    this.#known.add(hashedName, network);
    // Other processes need the networks of a user only while a client guesses at the user.
    if (isNew && this.get(userKey(hashedName)) > 0) void this.#report(['known', hashedName, network]);
  }

  /** Takes a message of the hub. */
  receive({ changes, own, replaces = false }: ThrottleUpdate): void {
    if (replaces) this.#confirmed.clear();
    for (const [index, change] of changes.entries()) {
      if (index === own && !replaces) this.#applySent();
      this.#apply(change);
    }
    if (own === changes.length && !replaces) this.#applySent();
    if (own !== undefined) this.#confirmSent();
  }

  #apply(change: ThrottleChange): void {
    switch (change[0]) {
      case 'failed':
        this.#addConfirmed(change[1], change[2], change[3]);
        break;
      case 'reset':
        this.#confirmed.reset(change[1]);
        break;
      case 'guessed':
        this.#guesses.add(change[1], change[2]);
        break;
      case 'known':
        this.#known.add(change[1], change[2]);
        break;
    }
  }

  #addConfirmed(key: string, window: number, failures: number): void {
    const user = userOfKey(key);
    if (user !== undefined && this.#confirmed.get(key) === 0) {
      for (const network of this.#known.networksOf(user)) void this.#report(['known', user, network]);
    }
    this.#confirmed.add(key, window, failures);
  }

  #applySent(): void {
    for (const change of this.#sent?.changes ?? []) this.#apply(change);
  }

  #confirmSent(): void {
    this.#sent?.confirm();
    this.#sent = undefined;
    this.#isLate = false;
    this.#unconfirmed.clear();
    for (const change of this.#next.changes) {
      if (change[0] === 'failed') this.#addUnconfirmed(change[1], change[2], change[3]);
      else if (change[0] === 'reset') this.#unconfirmed.reset(change[1]);
    }
    this.#flush();
  }

  /** Counts in the window of the confirmed failures of the key, as the hub does. */
  #addUnconfirmed(key: string, window: number, failures: number): void {
    this.#unconfirmed.add(key, this.#confirmed.remaining(key) || window, failures);
  }

  /** Returns a promise for the confirmation of the report, or undefined if the report is full. */
  #report(change: ThrottleChange): Promise<void> | undefined {
    if (this.#next.changes.length >= MAX_CHANGES) return undefined;
    this.#next.changes.push(change);
    // In a microtask: the failure of one login is several changes.
    if (this.#sent === undefined && this.#next.changes.length === 1) queueMicrotask(() => this.#flush());
    return this.#next.confirmed;
  }

  #flush(): void {
    if (this.#sent !== undefined || this.#next.changes.length === 0) return;
    const report = this.#next;
    this.#sent = report;
    this.#next = new Report();
    report.timer = this.#clock.after(CONFIRM_TIMEOUT_MS, () => this.#onLate());
    this.#send({ changes: report.changes });
  }

  /** The logins end without the confirmation, and no login waits for the next report. */
  #onLate(): void {
    this.#isLate = true;
    this.#sent?.confirm();
    this.#next.confirm();
  }
}

/** The changes of one message. */
class Report {
  readonly changes: ThrottleChange[] = [];
  timer: Disposable | undefined;
  readonly #confirmed = Promise.withResolvers<void>();

  get confirmed(): Promise<void> {
    return this.#confirmed.promise;
  }

  confirm(): void {
    this.timer?.[Symbol.dispose]();
    this.#confirmed.resolve();
  }
}

const CONFIRM_TIMEOUT_MS = 1_000;
const MAX_CHANGES = 10_000;
