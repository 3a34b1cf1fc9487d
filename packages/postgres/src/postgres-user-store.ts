import { type Clock, systemClock } from '@postern/core';
import type { Interface, PasswordProof } from '@postern/cred';
import { canonicalName, UnknownUser, type UserDatabase, UserExists, type UserRecord } from '@postern/users';
import { batches, changedUser, credentialForms, userKey } from '@postern/users/store';
import { connectionTarget } from './connection-options.ts';
import { Connections, type Statement } from './connections.ts';
import { LiveInterfaces } from './live-interfaces.ts';
import { LookUpBatches } from './look-up-batches.ts';
import { migrate, readScramKey, tablesIn } from './schema.ts';
import { userFromJson, userToJson } from './stored-user.ts';

/** The options of {@link PostgresUserStore.open}. Times are in milliseconds. */
export interface PostgresUserStoreOptions {
  /**
   * The password of the role, or a function that returns it for each connection, for passwords that
   * change. Default: the password in the URL.
   */
  readonly password?: string | (() => string | Promise<string>);
  /** The schema of the tables. The store creates it if it does not exist. Default: `postern`. */
  readonly schema?: string;
  /** The maximum number of connections. Default: 10. */
  readonly maxConnections?: number;
  /** The maximum number of queries, and of look-ups, that wait for a connection. Default: 1,000. */
  readonly maxWaiting?: number;
  /** The time for a connection: from the pool, or a new one. Default: 5,000. */
  readonly connectTimeout?: number;
  /** The time for one query, in the server and on the way. Default: 5,000. */
  readonly queryTimeout?: number;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
}

/**
 * Users in a PostgreSQL database. Several servers may use one database at the same time.
 *
 * @example
 * ```ts
 * import { PostgresUserStore } from '@postern/postgres';
 *
 * await using users = await PostgresUserStore.open('postgres://postern@localhost/mail');
 * await users.add({ name: 'joe', secrets: ['{PLAIN}s3cret'] });
 * ```
 */
export class PostgresUserStore implements UserDatabase {
  readonly #connections: Connections;
  readonly #interfaces: LiveInterfaces;
  readonly #sql: Statements;
  readonly #lookUps: LookUpBatches<StoredRow>;
  readonly #scramKey: Uint8Array;

  private constructor(connections: Connections, sql: Statements, scramKey: Uint8Array, clock: Clock) {
    this.#scramKey = scramKey;
    this.#connections = connections;
    this.#sql = sql;
    this.#interfaces = new LiveInterfaces(async () => {
      const rows = await connections.read<{ forms: number }>(sql.forms());
      return rows.map(({ forms }) => forms);
    }, clock);
    this.#lookUps = new LookUpBatches(
      (namesOf) =>
        connections.read<StoredRow>(() => {
          const names = namesOf();
          return names.length === 0 ? undefined : sql.find(names);
        }),
      (waiting) => connections.assertRoom(waiting),
    );
  }

  /**
   * Connects to the database, and creates its tables or brings them up to date.
   *
   * @param url `postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE`, as for libpq. A UNIX
   *   socket is `postgres://USER@/DATABASE?host=/run/postgresql`.
   * @throws TypeError for a malformed URL or option.
   * @throws UserStoreError for tables of a newer version, or a database that is not in UTF-8.
   * @throws TemporaryFailure if the database cannot be used now. The message says what to correct.
   */
  static async open(url: string, options: PostgresUserStoreOptions = {}): Promise<PostgresUserStore> {
    const { clock = systemClock, schema = 'postern' } = options;
    const limits = limitsOf(options);
    const tables = tablesIn(schema);
    const target = await connectionTarget(url);
    const connections = new Connections(target, options.password ?? target.password, limits, clock);
    try {
      const scramKey = await connections.transaction(async (run) => {
        await migrate(run, tables);
        return await readScramKey(run, tables);
      });
      const store = new PostgresUserStore(connections, new Statements(tables.users), scramKey, clock);
      await store.#interfaces.refresh();
      return store;
    } catch (error) {
      await connections[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * The classes for which every enabled user has a secret. Edits by this object count at once. A
   * read starts a query if the last one is 5 seconds old, so edits by others count later.
   */
  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    return this.#interfaces.current;
  }

  /** The server key of SCRAM: 32 random bytes, which the database got with its tables. */
  get scramKey(): Uint8Array {
    return this.#scramKey;
  }

  async find(name: string, signal?: AbortSignal): Promise<UserRecord | undefined> {
    const key = canonicalName(name);
    if (key === undefined) return undefined;
    const row = await this.#lookUps.find(key, signal);
    return row && userFromJson(key, row.record);
  }

  async update(name: string, change: (user: UserRecord) => UserRecord | undefined): Promise<void> {
    const key = canonicalName(name);
    if (key === undefined) throw new UnknownUser(name);
    const changesForms = await this.#connections.transaction(async (run) => {
      const [row] = await run<{ record: unknown; forms: number | null }>(this.#sql.lock(key));
      if (row === undefined) throw new UnknownUser(name);
      const changed = changedUser(key, userFromJson(key, row.record), change);
      if (changed === undefined) return false;
      const forms = formsOf(changed);
      await run(this.#sql.update(key, userToJson(changed), forms));
      return forms !== row.forms;
    });
    if (changesForms) await this.#interfaces.refreshAfterChange();
  }

  async add(user: UserRecord): Promise<void> {
    const existing = await this.#insert([user]);
    if (existing.length > 0) throw new UserExists(user.name);
    await this.#interfaces.refreshAfterChange();
  }

  async addAll(
    users: Iterable<UserRecord> | AsyncIterable<UserRecord>,
    onProgress?: (stored: number) => void,
  ): Promise<readonly string[]> {
    const existing: string[] = [];
    let stored = 0;
    try {
      for await (const batch of batches(users, BATCH_USERS)) {
        const refused = await this.#insert(batch);
        existing.push(...refused);
        stored += batch.length - refused.length;
        onProgress?.(stored);
      }
    } finally {
      if (stored > 0) await this.#interfaces.refreshAfterChange();
    }
    return existing;
  }

  async remove(name: string): Promise<void> {
    const key = canonicalName(name);
    const removed = key === undefined ? [] : await this.#connections.write(this.#sql.remove(key));
    if (removed.length === 0) throw new UnknownUser(name);
    await this.#interfaces.refreshAfterChange();
  }

  async *list(): AsyncGenerator<UserRecord, void> {
    // No user has an empty name.
    let last = '';
    for (;;) {
      const rows = await this.#connections.read<StoredRow>(this.#sql.page(last));
      for (const { key, record } of rows) yield userFromJson(key, record);
      if (rows.length < PAGE_USERS) return;
      last = rows.at(-1)?.key ?? '';
    }
  }

  /** Resolves when the queries have ended and the connections are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#interfaces.settled();
    await this.#lookUps.sent();
    await this.#connections[Symbol.asyncDispose]();
  }

  /** Stores the users in one statement. Resolves to the names that exist already. */
  async #insert(users: readonly UserRecord[]): Promise<readonly string[]> {
    const keys = users.map((user) => userKey(user));
    const records = users.map(userToJson);
    const forms = users.map(formsOf);
    const rows = await this.#connections.write<{ key: string }>(this.#sql.insert(keys, records, forms));
    // Of two users with one key, the first one is stored.
    const stored = new Set(rows.map(({ key }) => key));
    return users.filter((_user, index) => !stored.delete(keys[index] ?? '')).map(({ name }) => name);
  }
}

interface StoredRow {
  readonly key: string;
  /** The parsed JSON. */
  readonly record: unknown;
}

/** The statements of a store. A connection prepares the statements with a name once. */
class Statements {
  readonly #users: string;
  readonly #find: string;
  readonly #lock: string;
  readonly #update: string;

  constructor(users: string) {
    this.#users = users;
    this.#find = `SELECT canonical_name AS key, record FROM ${users} WHERE canonical_name = ANY ($1)`;
    this.#lock = `SELECT record, forms FROM ${users} WHERE canonical_name = $1 FOR UPDATE`;
    this.#update = `UPDATE ${users} SET record = $2, forms = $3 WHERE canonical_name = $1`;
  }

  find(keys: readonly string[]): Statement {
    return { name: 'postern_find', text: this.#find, values: [keys] };
  }

  lock(key: string): Statement {
    return { name: 'postern_lock', text: this.#lock, values: [key] };
  }

  update(key: string, record: string, forms: number | null): Statement {
    return { name: 'postern_update', text: this.#update, values: [key, record, forms] };
  }

  insert(keys: readonly string[], records: readonly string[], forms: readonly (number | null)[]): Statement {
    return {
      text: `INSERT INTO ${this.#users} (canonical_name, record, forms)
        SELECT key, record::jsonb, forms FROM unnest($1::text[], $2::text[], $3::integer[]) AS added (key, record, forms)
        ON CONFLICT DO NOTHING RETURNING canonical_name AS key`,
      values: [keys, records, forms],
    };
  }

  remove(key: string): Statement {
    return { text: `DELETE FROM ${this.#users} WHERE canonical_name = $1 RETURNING true`, values: [key] };
  }

  page(after: string): Statement {
    return {
      text: `SELECT canonical_name AS key, record FROM ${this.#users}
        WHERE canonical_name > $1 ORDER BY canonical_name LIMIT ${PAGE_USERS}`,
      values: [after],
    };
  }

  /**
   * Returns the query of all distinct sums of forms. The recursion jumps through the index from one
   * sum to the next: it costs the same with a million users.
   */
  forms(): Statement {
    const users = this.#users;
    return {
      name: 'postern_forms',
      text: `WITH RECURSIVE sums AS (
          SELECT min(forms) AS forms FROM ${users}
          UNION ALL
          SELECT (SELECT min(forms) FROM ${users} WHERE forms > sums.forms) FROM sums WHERE sums.forms IS NOT NULL
        )
        SELECT forms FROM sums WHERE forms IS NOT NULL`,
    };
  }
}

/** NULL is a user that says nothing about the mechanisms of a server. */
function formsOf(user: UserRecord): number | null {
  return credentialForms(user) ?? null;
}

function limitsOf(options: PostgresUserStoreOptions): Limits {
  const limits = {
    maxConnections: options.maxConnections ?? 10,
    maxWaiting: options.maxWaiting ?? 1000,
    connectTimeout: options.connectTimeout ?? 5000,
    queryTimeout: options.queryTimeout ?? 5000,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 1 || value > MAX_LIMIT) {
      throw new TypeError(`${name} must be a whole number from 1 to ${MAX_LIMIT}`);
    }
  }
  return limits;
}

type Limits = Required<
  Pick<PostgresUserStoreOptions, 'maxConnections' | 'maxWaiting' | 'connectTimeout' | 'queryTimeout'>
>;

/** The users in one page of a list, and in one transaction of an import. */
const PAGE_USERS = 500;
const BATCH_USERS = 500;
/** The longest delay of a timer of Node. */
const MAX_LIMIT = 2 ** 31 - 1;
