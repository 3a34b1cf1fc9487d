import { FakeClock } from '@postern/testing';
import type { UserRecord } from '@postern/users';
import { expect, test } from 'vitest';
import { StoreSample } from '../../packages/users/src/checker/store-sample.ts';

test('a list that hangs keeps logins for 8 seconds once, and is reported', async () => {
  const clock = new FakeClock();
  const [users, errors]: [UserRecord[], Error[]] = [[], []];
  const joe: UserRecord = { name: 'joe', secrets: [] };
  async function* list(): AsyncGenerator<UserRecord> {
    yield joe;
    await new Promise(() => {});
  }
  const store = { find: () => undefined, list };
  const sample = new StoreSample(
    store,
    (user) => users.push(user),
    (error) => errors.push(error),
    clock,
  );
  const { signal } = new AbortController();
  const logins = Promise.all([sample.ready(signal), sample.ready(signal)]);
  await clock.advance(8_000);
  await logins;
  await sample.ready(signal);
  expect(users).toEqual([joe]);
  expect(errors).toMatchObject([{ cause: { message: 'the list of the users has not ended within 8000 ms' } }]);
});
