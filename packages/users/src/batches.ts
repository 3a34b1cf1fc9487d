import type { UserRecord } from './user-record.ts';

/** Yields the users in lists of at most `size`, each for one transaction. */
export async function* batches(
  users: Iterable<UserRecord> | AsyncIterable<UserRecord>,
  size: number,
): AsyncGenerator<readonly UserRecord[], void> {
  let batch: UserRecord[] = [];
  for await (const user of users) {
    if (batch.push(user) < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
