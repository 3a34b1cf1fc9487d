import type { Clock } from '@postern/core';
import { TemporaryFailure } from '@postern/cred';
import pg from 'pg';
import type { ConnectionTarget } from './connection-options.ts';
import { databaseFailure, isStarting, isTransient } from './postgres-error.ts';

/** The bounds of a pool of connections. Times are in milliseconds. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxWaiting: number;
  readonly connectTimeout: number;
  readonly queryTimeout: number;
}

/** A query. A name makes it a prepared statement: a connection parses it once. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

/** Runs a statement and resolves to its rows. */
export type RunStatement = <Row extends object>(statement: Statement) => Promise<Row[]>;

/** A bounded pool of connections. All methods reject with a `TemporaryFailure`. */
export class Connections implements AsyncDisposable {
  readonly #pool: pg.Pool;
  readonly #clients = new Set<pg.PoolClient>();
  readonly #label: string;
  readonly #maxWaiting: number;
  readonly #clock: Clock;

  constructor(
    target: ConnectionTarget,
    password: string | (() => string | Promise<string>) | undefined,
    limits: ConnectionLimits,
    clock: Clock,
  ) {
    this.#label = target.label;
    this.#maxWaiting = limits.maxWaiting;
    this.#clock = clock;
    this.#pool = new pg.Pool({
      host: target.host,
      port: target.port,
      user: target.user,
      database: target.database,
      ...(password !== undefined && { password }),
      ssl: target.tls,
      enableChannelBinding: true,
      application_name: target.applicationName,
      max: limits.maxConnections,
      connectionTimeoutMillis: limits.connectTimeout,
      // The server ends a statement first. The client's timeout is for a server that hangs.
      statement_timeout: limits.queryTimeout,
      query_timeout: limits.queryTimeout + QUERY_GRACE_MS,
      idle_in_transaction_session_timeout: limits.queryTimeout,
      keepAlive: true,
    });
    // The pool drops an idle connection that breaks. The next query reports a server that is down.
    this.#pool.on('error', ignore);
    this.#pool.on('connect', (client) => {
      // The pool has no listener on a connection in use. The query rejects with the error.
      client.on('error', ignore);
      this.#clients.add(client);
    });
    this.#pool.on('remove', (client) => this.#clients.delete(client));
  }

  /**
   * Runs a statement that reads. A connection that the server has closed, or a server that
   * restarts, gets a second try.
   *
   * @param statement a function is called when the wait for a connection has ended, by success or
   *   failure, in each try. Undefined is no statement, and has no rows.
   */
  async read<Row extends object>(statement: Statement | (() => Statement | undefined)): Promise<Row[]> {
    return this.#withRetry(() => this.#readOnce<Row>(typeof statement === 'function' ? statement : () => statement));
  }

  /** @throws TemporaryFailure if no further query may wait for a connection beside `waiting`. */
  assertRoom(waiting: number): void {
    if (waiting < this.#maxWaiting) return;
    throw new TemporaryFailure(`${this.#maxWaiting} queries wait for PostgreSQL at ${this.#label} already`);
  }

  /** Runs one statement that writes, once: the server may have done it before an error. */
  async write<Row extends object>(statement: Statement): Promise<Row[]> {
    const client = await this.#withRetry(() => this.#checkOut());
    return this.#use(client, (run) => run<Row>(statement));
  }

  /**
   * Runs `work` in a transaction. An error of `work` undoes it, and the method rejects with that
   * error. `work` runs at most once.
   */
  async transaction<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    const client = await this.#withRetry(() => this.#begin());
    return this.#use(client, async (run) => {
      try {
        const result = await work(run);
        await run({ text: 'COMMIT' });
        return result;
      } catch (error) {
        // A failed connection is closed, which also undoes the transaction.
        if (!(error instanceof TemporaryFailure)) await run({ text: 'ROLLBACK' });
        throw error;
      }
    });
  }

  /** Resolves when all queries have ended. The connections keep the process alive no longer. */
  async [Symbol.asyncDispose](): Promise<void> {
    const clients = [...this.#clients];
    await this.#pool.end();
    // A server that hangs never closes its end.
    for (const client of clients) (client as pg.PoolClient & { unref: () => void }).unref();
  }

  /** Calls `attempt`, which changes nothing in the database, a second time after some errors. */
  async #withRetry<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      if (!isTransient(error)) throw this.#failure(error);
      if (isStarting(error)) await this.#pause();
      return attempt().catch((second: unknown) => {
        throw this.#failure(second);
      });
    }
  }

  async #readOnce<Row extends object>(statementFor: () => Statement | undefined): Promise<Row[]> {
    let client: pg.PoolClient | undefined;
    let statement: Statement | undefined;
    try {
      client = await this.#checkOut();
    } finally {
      statement = statementFor();
    }
    try {
      const rows = statement === undefined ? [] : (await client.query<Row>(statement)).rows;
      client.release();
      return rows;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #begin(): Promise<pg.PoolClient> {
    const client = await this.#checkOut();
    try {
      await client.query('BEGIN');
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** Runs `work` with the connection, and closes the connection after an error of the database. */
  async #use<T>(client: pg.PoolClient, work: (run: RunStatement) => Promise<T>): Promise<T> {
    const run: RunStatement = async <Row extends object>(statement: Statement) => {
      try {
        return (await client.query<Row>(statement)).rows;
      } catch (error) {
        throw this.#failure(error);
      }
    };
    try {
      const result = await work(run);
      client.release();
      return result;
    } catch (error) {
      client.release(error instanceof TemporaryFailure);
      throw error;
    }
  }

  async #checkOut(): Promise<pg.PoolClient> {
    this.assertRoom(this.#pool.waitingCount - this.#pool.idleCount);
    return await this.#pool.connect();
  }

  /** Resolves after the time that a restart takes. */
  async #pause(): Promise<void> {
    const over = Promise.withResolvers<void>();
    using _timer = this.#clock.after(RESTART_PAUSE_MS, over.resolve, true);
    await over.promise;
  }

  #failure(error: unknown): unknown {
    return error instanceof TemporaryFailure ? error : databaseFailure(error, this.#label);
  }
}

function ignore(): void {}

/** The time between the server's timeout of a statement and the client's. */
const QUERY_GRACE_MS = 500;
/** PostgreSQL refuses connections for 100 ms after an immediate stop. */
const RESTART_PAUSE_MS = 250;
