import { userStoreContract } from '@postern/testing';
import { InMemoryUserStore, type UserRecord } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { testContract } from '../support/contract.ts';

describe('an InMemoryUserStore', () => {
  const make = (users: readonly UserRecord[]) => ({ store: new InMemoryUserStore(users) });
  testContract(userStoreContract({ make, hasInterfaces: true, isDatabase: true }), [
    'rejects without a refusal of the client if the database cannot be reached',
  ]);

  it('refuses two users of one canonical name', () => {
    const users = ['joe', 'JOE'].map((name) => ({ name, secrets: [] }));
    expect(() => new InMemoryUserStore(users)).toThrow('there is a user "JOE" already');
  });
});
