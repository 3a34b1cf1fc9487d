import assert from 'node:assert/strict';
import { type Interface, LoginError, PasswordProof, TemporaryFailure } from '@postern/cred';
import { canonicalName, type UserRecord, type UserStore } from '@postern/users';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

/** One rule of a user store, and the users for which the store is made. */
export interface UserStoreRule<S extends UserStore> {
  readonly name: string;
  readonly users: readonly UserRecord[];
  readonly run: (store: S) => Promise<void>;
  /** The part of a record without which the rule is skipped. */
  readonly needs?: UserStorePart;
}

/** A part of a `UserRecord` that not every store keeps. `secrets`: more than one secret. */
export type UserStorePart = Exclude<keyof UserRecord, 'name'>;

/** Returns the rules of every store. `secret` is a stored secret that the store keeps. */
export function findRules(secret: string): readonly UserStoreRule<UserStore>[] {
  const users = ['joe', 'Ann.Lee', 'Jürgen'].map((name) => ({ name, secrets: [secret] }));
  return [
    {
      name: 'finds a user by the canonical name, and returns the stored name',
      users,
      async run(store) {
        for (const [stored] of SPELLINGS) {
          const name = canonicalName(stored) as string;
          const user = await find(store, name);
          assert.deepEqual([name, user?.name, user?.secrets], [name, stored, [secret]]);
        }
      },
    },
    {
      name: 'returns undefined for an unknown user',
      users,
      async run(store) {
        for (const name of ['eve', 'jo', 'joe2', ' joe', 'joe ', 'joe@example.com', '']) {
          assert.equal(await find(store, name), undefined, JSON.stringify(name));
        }
      },
    },
    {
      name: 'returns undefined for names with a special meaning in SQL, LDAP, paths and objects',
      users,
      async run(store) {
        for (const name of HOSTILE_TEXTS.flatMap((text) => [text, `joe${text}`])) {
          if (canonicalName(name) === 'joe') continue;
          assert.equal(await find(store, name), undefined, JSON.stringify(name.slice(0, 20)));
        }
        assert.equal((await find(store, 'joe'))?.name, 'joe');
      },
    },
    {
      name: 'finds users at the same time',
      users,
      async run(store) {
        const names = Array.from({ length: 60 }, (_, index) => ['joe', 'ann.lee', 'eve'][index % 3] as string);
        const found = await Promise.all(names.map((name) => find(store, name)));
        const expected = names.map((name) => ({ joe: 'joe', 'ann.lee': 'Ann.Lee' })[name]);
        assert.deepEqual(
          found.map((user) => user?.name),
          expected,
        );
      },
    },
    {
      name: 'finds the user or rejects if the signal has aborted, and finds the user afterwards',
      users,
      async run(store) {
        const settled = await Promise.allSettled([find(store, 'joe', AbortSignal.abort())]);
        for (const result of settled) {
          if (result.status === 'fulfilled') assert.equal(result.value?.name, 'joe');
          else assertTemporary(result.reason);
        }
        assert.equal((await find(store, 'joe'))?.name, 'joe');
      },
    },
    {
      name: 'returns the same `credentialInterfaces` while no user changes',
      users,
      async run(store) {
        const before = interfacesOf(store);
        await find(store, 'joe');
        await find(store, 'eve');
        assert.equal(interfacesOf(store), before);
        for (const proof of before ?? []) {
          assert.ok(proof === PasswordProof || proof.prototype instanceof PasswordProof, proof.name);
        }
        assert.notEqual(before?.length, 0);
      },
    },
    {
      name: 'keeps a user that has only a name and a secret',
      users,
      async run(store) {
        const user = await find(store, 'joe');
        assert.ok(user !== undefined);
        assert.notEqual(user.enabled, false);
        assert.notEqual(user.mustChangePassword, true);
        assert.deepEqual([user.expires, user.scopes, user.totp], [undefined, undefined, undefined]);
        assert.deepEqual(user.appPasswords ?? [], []);
      },
    },
    ...partRules(secret),
  ];
}

/** Returns the rule that an unreachable database is no refusal of the client. */
export async function rejectsTemporarily(store: UserStore): Promise<void> {
  const error: unknown = await find(store, 'joe').then(
    (user) => assert.fail(`the store returned ${user?.name}`),
    (reason: unknown) => reason,
  );
  assertTemporary(error);
}

export async function find(store: UserStore, name: string, signal?: AbortSignal): Promise<UserRecord | undefined> {
  return store.find(name, signal ?? new AbortController().signal);
}

/** Returns the store's `credentialInterfaces`: a list that changes is a getter. */
export function interfacesOf(store: UserStore): readonly Interface<PasswordProof>[] | undefined {
  return store.credentialInterfaces;
}

/** A record with every part. */
export function fullUser(name: string): Required<UserRecord> {
  return {
    name,
    secrets: [HASH, SCRAM],
    enabled: false,
    expires: new Date('2031-07-09T11:22:33.456Z'),
    mustChangePassword: true,
    scopes: ['smtp', 'imap'],
    appPasswords: [
      {
        name: 'phone "1"',
        secrets: [HASH],
        scopes: ['imap'],
        expires: new Date('2030-01-02T03:04:05.006Z'),
        lastUsed: new Date('2029-12-31T23:59:59.999Z'),
      },
      { name: 'Café', secrets: [HASH, SCRAM] },
    ],
    totp: { secret: 'JBSWY3DPEHPK3PXP', algorithm: 'sha256', digits: 8, period: 60, lastStep: 58_000_000 },
  };
}

function partRules(secret: string): readonly UserStoreRule<UserStore>[] {
  const full = fullUser('joe');
  const users = [{ name: 'ann', secrets: [secret] }, full];
  const rules = PARTS.map((part): UserStoreRule<UserStore> => {
    const user = { name: 'joe', secrets: [secret], [part]: full[part] };
    return {
      name: `keeps \`${part}\` of a user`,
      users: [users[0] as UserRecord, user],
      needs: part,
      run: async (store) => assert.deepEqual((await find(store, 'joe'))?.[part], full[part]),
    };
  });
  const noScopes: UserStoreRule<UserStore> = {
    name: 'keeps an empty list of scopes apart from no list',
    users: [{ name: 'joe', secrets: [secret], scopes: [] }],
    needs: 'scopes',
    run: async (store) => assert.deepEqual((await find(store, 'joe'))?.scopes, []),
  };
  return [...rules, noScopes];
}

function assertTemporary(error: unknown): void {
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(error instanceof Error, `not an Error: ${String(error)}`);
  const isTemporary = error instanceof TemporaryFailure || !(error instanceof LoginError);
  assert.ok(isTemporary, `${error.name} refuses the client`);
}

/** The hash of `s3cret` by SHA-512-crypt. */
export const HASH =
  '$6$abcdefgh$Z7KfoKnKTSZrzo5VZ0YubGLQOj9ov6sHo9TmE3zIU/LHKhpE30zCnZ0mcIXYf9r9rQ4DYaXoxAFSPFlcWdxjB.';

/** The SCRAM-SHA-256 record of `s3cret`. */
export const SCRAM =
  'SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$MiuIWMPE8f1wvUs8gqR/HUOBiaxP2InTIltSNS8murY=:UKlEJeK+9JbWnqN1OJJFASpGl2gC6h5m1W8s9eH3q3Q=';

/** Stored names, each with other spellings of the name (RFC 4013). */
/** Names, and how clients and operators spell them. */
export const SPELLINGS: readonly (readonly [stored: string, ...spellings: string[]])[] = [
  ['joe', 'Joe', 'JOE', 'jo\u00ade', '\uff4a\uff4f\uff45'],
  ['Ann.Lee', 'ann.lee', 'ANN.LEE'],
  ['Jürgen', 'jürgen', 'JÜRGEN', 'ju\u0308rgen', 'JU\u0308RGEN'],
];

/** The parts of a record, in the order of their declaration. */
export const PARTS: readonly UserStorePart[] = [
  'secrets',
  'enabled',
  'expires',
  'mustChangePassword',
  'scopes',
  'appPasswords',
  'totp',
];
