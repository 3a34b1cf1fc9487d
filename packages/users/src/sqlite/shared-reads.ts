import type { DatabaseSync, StatementSync } from 'node:sqlite';

/**
 * Joins the reads of one turn of the event loop into one read transaction. The locks of a
 * transaction cost more than the read itself. The reads of a turn may all see the database as the
 * second one found it: edits of other processes count from the next turn.
 */
export class SharedReads {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<Record<'begin' | 'rollback', StatementSync>>;
  #hasRead = false;
  #isOpen = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = { begin: database.prepare('BEGIN'), rollback: database.prepare('ROLLBACK') };
  }

  /** Announces a read. The second read of a turn begins the transaction: a lone read needs none. */
  announce(): void {
    if (this.#isOpen) return;
    if (!this.#hasRead) {
      this.#hasRead = true;
      setImmediate(this.#endTurn);
    } else if (!this.#database.isTransaction) {
      this.#statements.begin.run();
      this.#isOpen = true;
    }
  }

  /**
   * Ends the transaction: before a write begins its own, before the database closes, and after a
   * read that failed. The next read then sees the database as it is by then.
   */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // SQLite ends the transaction itself if the disk fails. A COMMIT throws for a damaged file.
    if (this.#database.isTransaction) this.#statements.rollback.run();
  }

  readonly #endTurn = (): void => {
    this.#hasRead = false;
    this.end();
  };
}
