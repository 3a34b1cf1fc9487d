import assert from 'node:assert/strict';
import { PasswordProof, UsernamePassword } from '@postern/cred';
import { ScramSha1Credentials, ScramSha256Credentials } from '@postern/sasl';
import type { UserDatabase, UserRecord, UserStore } from '@postern/users';
import { HASH, interfacesOf, SCRAM, type UserStoreRule } from './user-store-rules.ts';

/** Returns the rules of `credentialInterfaces` for stores whose list follows the users. */
export function interfaceRules(): readonly UserStoreRule<UserStore>[] {
  return [
    {
      name: 'names `ScramSha256Credentials` if all users have a secret of SCRAM-SHA-256',
      users: [joe, ann],
      run: async (store) => names(store, UsernamePassword, ScramSha256Credentials),
    },
    {
      name: 'names `UsernamePassword` alone if one user has only a hash',
      users: [joe, ann, { name: 'eve', secrets: [HASH] }],
      run: async (store) => names(store, UsernamePassword),
    },
    {
      name: 'names `PasswordProof` if all users have a password in clear text',
      users: [
        { name: 'joe', secrets: [CLEAR] },
        { name: 'ann', secrets: [CLEAR] },
      ],
      run: async (store) => names(store, PasswordProof),
    },
    {
      name: 'names the classes of SCRAM that a user with a clear-text password can use too',
      users: [joe, { name: 'ann', secrets: [CLEAR] }],
      run: async (store) => names(store, UsernamePassword, ScramSha256Credentials),
    },
    {
      name: 'names `UsernamePassword` for a store without users',
      users: [],
      run: async (store) => names(store, UsernamePassword),
    },
    {
      name: 'names the classes of users with several secrets of SCRAM',
      users: [{ name: 'joe', secrets: [HASH, SCRAM, SCRAM_SHA_1] }],
      needs: 'secrets',
      run: async (store) => names(store, UsernamePassword, ScramSha256Credentials, ScramSha1Credentials),
    },
    {
      name: 'ignores the secrets of a disabled user',
      users: [joe, { name: 'eve', secrets: [HASH], enabled: false }],
      needs: 'enabled',
      run: async (store) => names(store, UsernamePassword, ScramSha256Credentials),
    },
    {
      name: 'ignores a user without a password',
      users: [joe, { name: 'eve', secrets: ['!'] }],
      run: async (store) => names(store, UsernamePassword, ScramSha256Credentials),
    },
    {
      name: 'names `UsernamePassword` alone if one user has a second factor',
      users: [joe, { ...ann, totp: { secret: 'JBSWY3DPEHPK3PXP' } }],
      needs: 'totp',
      run: async (store) => names(store, UsernamePassword),
    },
    {
      name: 'names `UsernamePassword` alone if one user has an application password',
      users: [joe, { ...ann, appPasswords: [{ name: 'phone', secrets: [HASH] }] }],
      needs: 'appPasswords',
      run: async (store) => names(store, UsernamePassword),
    },
  ];
}

/** Returns the rules of `credentialInterfaces` for user databases. */
export function editedInterfaceRules(): readonly UserStoreRule<UserDatabase>[] {
  return [
    {
      name: 'changes `credentialInterfaces` with each edit, and returns the same array otherwise',
      users: [joe],
      async run(store) {
        const scram = interfacesOf(store);
        await store.add(ann);
        assert.equal(interfacesOf(store), scram);

        await store.add({ name: 'eve', secrets: [HASH] });
        names(store, UsernamePassword);
        await store.update('eve', (user) => ({ ...user, enabled: false }));
        names(store, UsernamePassword, ScramSha256Credentials);
        await store.update('eve', (user) => ({ ...user, enabled: true }));
        names(store, UsernamePassword);
        await store.update('eve', (user) => ({ ...user, secrets: [...user.secrets, SCRAM] }));
        names(store, UsernamePassword, ScramSha256Credentials);

        await store.addAll([{ name: 'bob', secrets: [HASH] }]);
        names(store, UsernamePassword);
        await store.remove('bob');
        names(store, UsernamePassword, ScramSha256Credentials);
      },
    },
  ];
}

/** Expects these classes in any order. */
function names(store: UserStore, ...expected: readonly unknown[]): void {
  const found: readonly unknown[] = interfacesOf(store) ?? [];
  const describe = (list: readonly unknown[]) => list.map((proof) => (proof as { name: string }).name).toSorted();
  assert.deepEqual(describe(found), describe(expected));
  assert.deepEqual(new Set(found), new Set(expected));
}

const joe: UserRecord = { name: 'joe', secrets: [SCRAM] };
const ann: UserRecord = { name: 'Ann', secrets: [SCRAM] };

const CLEAR = '{PLAIN}s3cret';

/** The SCRAM-SHA-1 record of `s3cret`. */
const SCRAM_SHA_1 =
  'SCRAM-SHA-1$4096:MDEyMzQ1Njc4OWFiY2RlZg==$V0wTazBfDSWIu5KeU4iYjjsrhy4=:sHH7ULJP/JadX/j3x36ijNcCCb0=';
