import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type BusyOptions, lockedFailure, retryDelay } from './busy-retry.ts';
import type { SharedReads } from './shared-reads.ts';
import { isBusy, operatorError } from './sqlite-errors.ts';

/**
 * Runs writes in transactions. Writes that wait at the same time share one transaction, and so one
 * wait for the disk. A write that throws is undone alone.
 */
export class WriteQueue {
  readonly #database: DatabaseSync;
  readonly #options: BusyOptions;
  readonly #reads: SharedReads;
  readonly #onCommit: () => void;
  readonly #statements: Readonly<Record<'begin' | 'commit' | 'save' | 'undo' | 'release', StatementSync>>;
  #waiting: Write[] = [];
  #isScheduled = false;
  #failures = 0;
  #drained: PromiseWithResolvers<void> | undefined;

  /** `onCommit` is called after each transaction, before its writes resolve. */
  constructor(database: DatabaseSync, options: BusyOptions, reads: SharedReads, onCommit: () => void) {
    this.#database = database;
    this.#options = options;
    this.#reads = reads;
    this.#onCommit = onCommit;
    this.#statements = {
      // A deferred transaction that reads first fails at its first write, with code 517.
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
      save: database.prepare('SAVEPOINT one_write'),
      undo: database.prepare('ROLLBACK TO one_write'),
      release: database.prepare('RELEASE one_write'),
    };
  }

  /**
   * Resolves to the result of `work` once the transaction is on the disk. Rejects with the error
   * that `work` throws.
   *
   * @throws TemporaryFailure if the lock of another process stays for `busyTimeout` milliseconds.
   * @throws UserStoreError if SQLite fails otherwise.
   */
  run<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const { busyTimeout, clock } = this.#options;
    const attempt = (): Settle => {
      const result = work();
      return () => resolve(result);
    };
    this.#waiting.push({ attempt, reject, waitsUntil: clock.now() + busyTimeout });
    this.#schedule();
    return promise;
  }

  /** Resolves when no write waits. */
  async drained(): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#drained ??= Promise.withResolvers();
    await this.#drained.promise;
  }

  #schedule(delay?: number): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (delay === undefined) setImmediate(this.#flush);
    else this.#options.clock.after(delay, this.#flush, true);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    const retry = this.#transact();
    if (this.#waiting.length > 0) this.#schedule(retry);
    else this.#drained?.resolve();
  };

  /** Runs one transaction. Returns the delay of the next if another process holds the lock. */
  #transact(): number | undefined {
    const { path } = this.#options;
    const writes = this.#waiting.slice(0, MAX_WRITES);
    try {
      this.#reads.end();
      this.#statements.begin.run();
    } catch (error) {
      if (isBusy(error)) return this.#wait(error);
      this.#waiting.splice(0, writes.length);
      for (const { reject } of writes) reject(operatorError(error, path));
      return undefined;
    }
    this.#failures = 0;
    this.#waiting.splice(0, writes.length);
    try {
      const settles = writes.map((write) => this.#attempt(write));
      this.#statements.commit.run();
      this.#onCommit();
      for (const settle of settles) settle();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      for (const { reject } of writes) reject(operatorError(error, path));
    }
    return undefined;
  }

  #attempt({ attempt, reject }: Write): Settle {
    const { release, save, undo } = this.#statements;
    save.run();
    try {
      return attempt();
    } catch (error) {
      // A full disk, for example, makes SQLite undo the whole transaction.
      if (!this.#database.isTransaction) throw error;
      undo.run();
      return () => reject(operatorError(error, this.#options.path));
    } finally {
      if (this.#database.isTransaction) release.run();
    }
  }

  #wait(cause: unknown): number {
    const { clock, path } = this.#options;
    const now = clock.now();
    for (const { waitsUntil, reject } of this.#waiting) if (waitsUntil <= now) reject(lockedFailure(path, cause));
    this.#waiting = this.#waiting.filter(({ waitsUntil }) => waitsUntil > now);
    return retryDelay(this.#failures++);
  }
}

interface Write {
  /** Runs the work. Returns the function that resolves its promise, for after the commit. */
  readonly attempt: () => Settle;
  readonly reject: (error: unknown) => void;
  /** The time after which the write waits no longer. */
  readonly waitsUntil: number;
}

type Settle = () => void;

/** The writes of one transaction. The event loop stands still while they run. */
const MAX_WRITES = 100;
