import { resolve } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Clock, systemClock } from '@postern/core';
import type { Interface, MaybePromise, PasswordProof } from '@postern/cred';
import { batches } from '../batches.ts';
import { canonicalName } from '../canonical-name.ts';
import { CommonInterfaces, credentialForms } from '../credential-forms.ts';
import { UnknownUser, UserExists, UserStoreError } from '../errors.ts';
import { changedUser, userKey } from '../user-key.ts';
import type { UserRecord } from '../user-record.ts';
import type { UserDatabase, UserStore } from '../user-store.ts';
import { type BusyOptions, retryWhileBusy } from './busy-retry.ts';
import { FileIdentity } from './file-identity.ts';
import { IN_MEMORY, openDatabase } from './open-database.ts';
import { COLUMNS, fromRow, type Row, toRow } from './rows.ts';
import { pragma } from './schema.ts';
import { SharedReads } from './shared-reads.ts';
import { isBusy, operatorError } from './sqlite-errors.ts';
import { WriteQueue } from './write-queue.ts';

/** The options of {@link SqliteUserStore.open}. */
export interface SqliteUserStoreOptions {
  /**
   * True opens a database that exists, and changes nothing. SQLite still needs to write its `-shm`
   * file, or to find it. Default: false.
   */
  readonly readOnly?: boolean;
  /**
   * The milliseconds for which an operation waits for the lock of another process. Then it is a
   * temporary failure. Default: 5,000.
   */
  readonly busyTimeout?: number;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
}

/** A user database that is open for reading. */
export interface ReadOnlySqliteUserStore extends UserStore, AsyncDisposable {
  readonly credentialInterfaces: readonly Interface<PasswordProof>[];
  readonly scramKey: Uint8Array;
  readonly list: UserDatabase['list'];
}

/**
 * A user database in one file of SQLite. Several processes may use the file at the same time, on
 * one host. A user that is added is there after a crash and after a loss of power.
 *
 * @example
 * ```ts
 * import { SqliteUserStore } from '@postern/users/sqlite';
 *
 * await using users = await SqliteUserStore.open('/var/lib/postern/users.db');
 * await users.add({ name: 'joe', secrets: ['{PLAIN}s3cret'] });
 * await users.update('joe', (user) => ({ ...user, scopes: ['smtp'] }));
 * for await (const { name } of users.list()) console.log(name);
 * ```
 */
export class SqliteUserStore implements UserDatabase {
  readonly #database: DatabaseSync;
  readonly #busy: BusyOptions;
  readonly #file: FileIdentity;
  readonly #reads: SharedReads;
  readonly #writes: WriteQueue;
  readonly #statements: Statements;
  readonly #scramKey: Uint8Array;
  readonly #common = new CommonInterfaces();
  /** The value of `PRAGMA data_version` for which the list of interfaces is right. */
  #version: unknown;
  /** The time from which the list of interfaces may be wrong. */
  #interfacesExpiry = 0;
  #interfaces: readonly Interface<PasswordProof>[] = [];
  #isClosed = false;

  /**
   * Opens the database, and creates a file that is missing. The directory must exist. The path
   * `:memory:` is a database that ends with the process.
   *
   * @throws UserStoreError for a file that is no user database, or that this user cannot use.
   * @throws TemporaryFailure if another process locks the database.
   */
  static async open(
    path: string,
    options: SqliteUserStoreOptions & { readonly readOnly: true },
  ): Promise<ReadOnlySqliteUserStore>;
  static async open(
    path: string,
    options?: SqliteUserStoreOptions & { readonly readOnly?: false },
  ): Promise<SqliteUserStore>;
  static async open(
    path: string,
    options: SqliteUserStoreOptions = {},
  ): Promise<SqliteUserStore | ReadOnlySqliteUserStore> {
    const { busyTimeout = BUSY_TIMEOUT_MS, clock = systemClock, readOnly = false } = options;
    const absolute = path === IN_MEMORY ? path : resolve(path);
    const busy = { path: absolute, clock, busyTimeout };
    const { database, scramKey } = await retryWhileBusy(() => openDatabase(absolute, readOnly), busy);
    const store = new SqliteUserStore(database, scramKey, busy);
    return readOnly ? readOnlyStore(store) : store;
  }

  private constructor(database: DatabaseSync, scramKey: Uint8Array, busy: BusyOptions) {
    this.#database = database;
    this.#busy = busy;
    this.#file = new FileIdentity(busy.path === IN_MEMORY ? undefined : busy.path, busy.clock);
    this.#reads = new SharedReads(database);
    this.#writes = new WriteQueue(database, busy, this.#reads, () => {
      this.#interfacesExpiry = 0;
      this.#version = undefined;
    });
    this.#statements = prepare(database);
    this.#scramKey = scramKey;
  }

  /** The server key of SCRAM: 32 random bytes, which the database got when it was created. */
  get scramKey(): Uint8Array {
    return this.#scramKey;
  }

  /**
   * The classes for which every enabled user has a secret. Edits by this object count at once,
   * those by other processes within a second.
   */
  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    const now = this.#busy.clock.now();
    if (now >= this.#interfacesExpiry) {
      this.#readInterfaces();
      this.#interfacesExpiry = now + INTERFACES_MAX_AGE_MS;
    }
    return this.#interfaces;
  }

  find(name: string, signal?: AbortSignal): MaybePromise<UserRecord | undefined> {
    const key = canonicalName(name);
    if (key === undefined) return undefined;
    try {
      this.#file.assertSame();
      this.#reads.announce();
      return this.#read(key);
    } catch (error) {
      this.#reads.end();
      if (!isBusy(error)) throw this.#explain(error);
      return retryWhileBusy(() => this.#read(key), this.#busy, signal);
    }
  }

  update(name: string, change: (user: UserRecord) => UserRecord | undefined): Promise<void> {
    return this.#write(() => {
      const key = canonicalName(name);
      const user = key === undefined ? undefined : this.#read(key);
      if (key === undefined || user === undefined) throw new UnknownUser(name);
      const changed = changedUser(key, user, change);
      if (changed !== undefined) this.#statements.update.run(...valuesOf(changed), key);
    });
  }

  add(user: UserRecord): Promise<void> {
    return this.#write(() => {
      if (!this.#insert(user)) throw new UserExists(user.name);
    });
  }

  async addAll(
    users: Iterable<UserRecord> | AsyncIterable<UserRecord>,
    onProgress?: (stored: number) => void,
  ): Promise<readonly string[]> {
    const existing: string[] = [];
    let stored = 0;
    for await (const batch of batches(users, BATCH_USERS)) {
      const found = await this.#write(() => batch.filter((user) => !this.#insert(user)));
      for (const { name } of found) existing.push(name);
      stored += batch.length - found.length;
      onProgress?.(stored);
    }
    return existing;
  }

  remove(name: string): Promise<void> {
    return this.#write(() => {
      const { changes } = this.#statements.remove.run(canonicalName(name) ?? '');
      if (changes === 0) throw new UnknownUser(name);
    });
  }

  async *list(): AsyncGenerator<UserRecord, void> {
    let last = '';
    for (;;) {
      if (this.#isClosed) throw this.#closedError();
      this.#file.assertSame();
      const page = await retryWhileBusy(
        () => this.#statements.page.all(last, PAGE_ROWS) as unknown as Row[],
        this.#busy,
      );
      for (const [key, ...row] of page) {
        last = String(key);
        yield fromRow(row, this.#busy.path);
      }
      if (page.length < PAGE_ROWS) return;
    }
  }

  /** Waits for the open writes, and closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#writes.drained();
    this.#reads.end();
    this.#database.close();
  }

  #read(key: string): UserRecord | undefined {
    const row = this.#statements.find.get(key) as unknown as Row | undefined;
    return row === undefined ? undefined : fromRow(row, this.#busy.path);
  }

  async #write<T>(work: () => T): Promise<T> {
    if (this.#isClosed) throw this.#closedError();
    this.#file.assertSame();
    return this.#writes.run(work);
  }

  /** Returns false if there is a user of this name. */
  #insert(user: UserRecord): boolean {
    const key = userKey(user);
    return this.#statements.insert.run(...valuesOf(user), key).changes === 1;
  }

  #readInterfaces(): void {
    try {
      const version = pragma(this.#database, 'data_version');
      if (version === this.#version) return;
      const rows = this.#statements.forms.all() as unknown as (readonly [number])[];
      this.#interfaces = this.#common.of(rows.map(([forms]) => forms));
      this.#version = version;
    } catch {
      // The list stays as it is: a mechanism that worked a second ago is the best guess. Each login
      // meets the same fault and reports it.
    }
  }

  #explain(error: unknown): unknown {
    return this.#isClosed ? this.#closedError() : operatorError(error, this.#busy.path);
  }

  #closedError(): UserStoreError {
    return new UserStoreError(`the user database ${this.#busy.path} is closed`);
  }
}

type Statements = Readonly<Record<'find' | 'insert' | 'update' | 'remove' | 'page' | 'forms', StatementSync>>;

function prepare(database: DatabaseSync): Statements {
  const columns = COLUMNS.join(', ');
  const values = COLUMNS.map(() => '?').join(', ');
  const assignments = COLUMNS.map((column) => `${column} = ?`).join(', ');
  return {
    find: database.prepare(`SELECT ${columns} FROM users WHERE canonical_name = ?`),
    insert: database.prepare(
      `INSERT INTO users (${columns}, forms, canonical_name) VALUES (${values}, ?, ?)
       ON CONFLICT (canonical_name) DO NOTHING`,
    ),
    update: database.prepare(`UPDATE users SET ${assignments}, forms = ? WHERE canonical_name = ?`),
    remove: database.prepare('DELETE FROM users WHERE canonical_name = ?'),
    page: database.prepare(
      `SELECT canonical_name, ${columns} FROM users WHERE canonical_name > ? ORDER BY canonical_name LIMIT ?`,
    ),
    // One seek in the index for each sum. DISTINCT would read the entry of each user.
    forms: database.prepare(
      `WITH RECURSIVE sums (forms) AS (
         SELECT min(forms) FROM users WHERE forms IS NOT NULL
         UNION ALL
         SELECT (SELECT min(users.forms) FROM users WHERE users.forms > sums.forms) FROM sums WHERE sums.forms IS NOT NULL
       ) SELECT forms FROM sums WHERE forms IS NOT NULL`,
    ),
  };
}

/** Returns the values of {@link COLUMNS} and of `forms`. */
function valuesOf(user: UserRecord): (string | number | null)[] {
  return [...toRow(user), credentialForms(user) ?? null];
}

function readOnlyStore(store: SqliteUserStore): ReadOnlySqliteUserStore {
  return {
    find: (name, signal) => store.find(name, signal),
    get credentialInterfaces() {
      return store.credentialInterfaces;
    },
    get scramKey() {
      return store.scramKey;
    },
    list: () => store.list(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const BUSY_TIMEOUT_MS = 5_000;
const INTERFACES_MAX_AGE_MS = 1_000;
const PAGE_ROWS = 100;
/** The users of one transaction of `addAll`. */
const BATCH_USERS = 1_000;
