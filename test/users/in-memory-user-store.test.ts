import { userStoreContract } from '@postern/testing';
import { InMemoryUserStore } from '@postern/users';
import { describe, expect, it } from 'vitest';

describe('an InMemoryUserStore', () => {
  const cases = userStoreContract({ make: (users) => ({ store: new InMemoryUserStore(users) }), isDatabase: true });
  for (const { name, run, skipped } of cases) if (skipped === undefined) it(name, run);

  it('refuses two users of one canonical name', () => {
    const users = ['joe', 'JOE'].map((name) => ({ name, secrets: [] }));
    expect(() => new InMemoryUserStore(users)).toThrow('there is a user "JOE" already');
  });
});
