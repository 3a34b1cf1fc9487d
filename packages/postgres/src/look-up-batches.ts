import { orAborted } from '@postern/core';

/**
 * Joins look-ups by name that wait at the same time into one query. A look-up that finds no query
 * under way is sent at once. Further ones gather until the end of the turn of the event loop, or
 * until a connection is free. A query of several names costs little more than a query of one.
 *
 * A look-up never joins a query that is sent: it would miss changes that came between.
 */
export class LookUpBatches<Row extends { readonly key: string }> {
  readonly #query: QueryNames<Row>;
  readonly #assertRoom: (waiting: number) => void;
  #gathering: Batch<Row> | undefined;
  /** The look-ups of the batches that are not sent. */
  #waiting = 0;
  #queries = 0;

  /** @param assertRoom throws if `waiting` look-ups wait and no further one may */
  constructor(query: QueryNames<Row>, assertRoom: (waiting: number) => void) {
    this.#query = query;
    this.#assertRoom = assertRoom;
  }

  /**
   * Resolves to the row of the name, which other look-ups of the name may share. Rejects with the
   * error of the query, or with the reason of the signal.
   */
  async find(name: string, signal?: AbortSignal): Promise<Row | undefined> {
    signal?.throwIfAborted();
    this.#assertRoom(this.#waiting);
    const batch = this.#join(name);
    if (signal !== undefined) {
      await orAborted(batch.answer.promise, signal);
      if (signal.aborted) {
        this.#leave(batch, name);
        throw signal.reason;
      }
    }
    return (await batch.answer.promise).get(name);
  }

  /** Resolves when the look-ups so far are on their way. */
  async sent(): Promise<void> {
    if (this.#waiting > 0) await endOfTurn();
  }

  #join(name: string): Batch<Row> {
    const gathering = this.#gathering;
    const batch: Batch<Row> = gathering ?? { lookUps: new Map(), isClosed: false, answer: Promise.withResolvers() };
    batch.lookUps.set(name, (batch.lookUps.get(name) ?? 0) + 1);
    this.#waiting += 1;
    if (gathering === undefined) this.#open(batch);
    else if (batch.lookUps.size >= MAX_NAMES) this.#gathering = undefined;
    return batch;
  }

  /** A batch that is not sent asks no more for a name that its last look-up has left. */
  #leave({ lookUps, isClosed }: Batch<Row>, name: string): void {
    if (isClosed) return;
    this.#waiting -= 1;
    const others = (lookUps.get(name) ?? 1) - 1;
    if (others === 0) lookUps.delete(name);
    else lookUps.set(name, others);
  }

  #open(batch: Batch<Row>): void {
    this.#gathering = batch;
    this.#send(batch).then(batch.answer.resolve, batch.answer.reject);
  }

  async #send(batch: Batch<Row>): Promise<ReadonlyMap<string, Row>> {
    if (this.#queries > 0) await endOfTurn();
    this.#queries += 1;
    try {
      const rows = await this.#query(() => this.#close(batch));
      return new Map(rows.map((row) => [row.key, row]));
    } finally {
      this.#queries -= 1;
    }
  }

  #close(batch: Batch<Row>): readonly string[] {
    if (!batch.isClosed) {
      batch.isClosed = true;
      if (this.#gathering === batch) this.#gathering = undefined;
      for (const count of batch.lookUps.values()) this.#waiting -= count;
    }
    return [...batch.lookUps.keys()];
  }
}

/**
 * Resolves to the rows of the names. It calls `names` when the wait for a connection has ended, by
 * success or failure: until then further names may join.
 */
export type QueryNames<Row> = (names: () => readonly string[]) => Promise<readonly Row[]>;

interface Batch<Row> {
  /** The number of look-ups of each name. */
  readonly lookUps: Map<string, number>;
  /** True if no look-up can join or leave any more. */
  isClosed: boolean;
  readonly answer: PromiseWithResolvers<ReadonlyMap<string, Row>>;
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** At most 100 KiB of names, at 1,024 octets each. */
const MAX_NAMES = 100;
