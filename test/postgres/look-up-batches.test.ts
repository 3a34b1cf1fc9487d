import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LookUpBatches } from '../../packages/postgres/src/look-up-batches.ts';

interface Row {
  readonly key: string;
}

/** A database that answers a query, and connects it, when the test says so. */
class Database {
  readonly queries: Query[] = [];
  readonly lookUps: LookUpBatches<Row>;

  constructor({ maxWaiting = 1000, isBusy = false } = {}) {
    this.lookUps = new LookUpBatches<Row>(
      async (names) => {
        const query = new Query();
        this.queries.push(query);
        if (isBusy) await query.connected.promise;
        query.names = names();
        return await query.rows.promise;
      },
      (waiting) => {
        if (waiting >= maxWaiting) throw new Error('too many wait');
      },
    );
  }

  get names(): readonly (readonly string[])[] {
    return this.queries.map(({ names }) => names);
  }
}

class Query {
  names: readonly string[] = [];
  readonly connected = Promise.withResolvers<void>();
  readonly rows = Promise.withResolvers<readonly Row[]>();

  /** Answers with a row for each name, in the opposite order. */
  answer(names = this.names): void {
    this.rows.resolve(names.toReversed().map((key) => ({ key })));
  }
}

describe('LookUpBatches', () => {
  it('sends a look-up at once if no query is under way', () => {
    const database = new Database();
    void database.lookUps.find('joe');
    expect(database.names).toEqual([['joe']]);
  });

  it('joins the look-ups of one turn while a query is under way', async () => {
    const database = new Database();
    const { lookUps, queries } = database;
    const found = ['joe', 'ann', 'bob', 'ann', 'eve'].map((name) => lookUps.find(name));
    expect(database.names).toEqual([['joe']]);
    await setImmediate();
    expect(database.names).toEqual([['joe'], ['ann', 'bob', 'eve']]);
    queries[1]?.answer(['ann', 'bob']);
    queries[0]?.answer();
    expect(await Promise.all(found)).toEqual([
      { key: 'joe' },
      { key: 'ann' },
      { key: 'bob' },
      { key: 'ann' },
      undefined,
    ]);
  });

  it('lets look-ups join a query that waits for a connection, and none that is sent', async () => {
    const database = new Database({ isBusy: true });
    const { lookUps, queries } = database;
    const found = [lookUps.find('joe')];
    await setImmediate();
    found.push(lookUps.find('ann'));
    queries[0]?.connected.resolve();
    await setImmediate();
    found.push(lookUps.find('joe'));
    await setImmediate();
    queries[1]?.connected.resolve();
    await setImmediate();
    expect(database.names).toEqual([['joe', 'ann'], ['joe']]);
    for (const query of queries) query.answer();
    expect(await Promise.all(found)).toEqual([{ key: 'joe' }, { key: 'ann' }, { key: 'joe' }]);
  });

  it('asks for at most 100 names in one query', async () => {
    const database = new Database({ isBusy: true });
    for (let number = 0; number < 250; number++) void database.lookUps.find(String(number));
    await setImmediate();
    for (const { connected } of database.queries) connected.resolve();
    await setImmediate();
    expect(database.names.map(({ length }) => length)).toEqual([100, 100, 50]);
  });

  it('rejects the look-ups of a query with its error, and no other', async () => {
    const { lookUps, queries } = new Database();
    const first = lookUps.find('joe');
    const others = [lookUps.find('ann'), lookUps.find('bob')];
    await setImmediate();
    const error = new Error('the server is down');
    queries[1]?.rows.reject(error);
    for (const found of others) await expect(found).rejects.toBe(error);
    queries[0]?.answer();
    expect(await first).toEqual({ key: 'joe' });
  });

  it('rejects a look-up when its signal aborts, and still answers the others of the name', async () => {
    const database = new Database({ isBusy: true });
    const { lookUps, queries } = database;
    const client = new AbortController();
    const aborted = ['joe', 'ann'].map((name) => lookUps.find(name, client.signal));
    const found = lookUps.find('joe', new AbortController().signal);
    const reason = new Error('the client has disconnected');
    client.abort(reason);
    for (const lookUp of aborted) await expect(lookUp).rejects.toBe(reason);
    queries[0]?.connected.resolve();
    await setImmediate();
    expect(database.names).toEqual([['joe']]);
    queries[0]?.answer();
    expect(await found).toEqual({ key: 'joe' });
    await expect(lookUps.find('joe', client.signal)).rejects.toBe(reason);
  });

  it('bounds the look-ups that wait, and counts neither those sent nor those left', async () => {
    const { lookUps, queries } = new Database({ isBusy: true, maxWaiting: 2 });
    const client = new AbortController();
    const left = lookUps.find('joe', client.signal);
    const found = lookUps.find('ann');
    await expect(lookUps.find('bob')).rejects.toThrow('too many wait');
    client.abort(new Error('the client has disconnected'));
    await expect(left).rejects.toThrow('the client has disconnected');
    const joined = lookUps.find('ann');
    await expect(lookUps.find('bob')).rejects.toThrow('too many wait');
    queries[0]?.connected.resolve();
    await setImmediate();
    void lookUps.find('bob');
    queries[0]?.answer();
    expect(await Promise.all([found, joined])).toEqual([{ key: 'ann' }, { key: 'ann' }]);
  });
});
