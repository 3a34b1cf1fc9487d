import {
  AvatarRealm,
  CascadingChecker,
  type Checker,
  PasswordProof,
  Portal,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { ScramSecret, scram } from '@postern/sasl';
import { scramResponder } from '@postern/sasl/client';
import { exchange, TestAvatar } from '@postern/testing';
import { InMemoryUserStore, UserChecker, type UserRecord } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../cred/support.ts';
import { CHEAP_POLICY, checkerOf, hashed } from './checker-support.ts';

/** Returns a user with a SCRAM secret as another program has made it. */
async function scramUser(name: string, iterations: number, saltLength: number): Promise<UserRecord> {
  const salt = Buffer.alloc(saltLength, name);
  const secret = await ScramSecret.derive('pencil', { hash: 'sha256', iterations, salt });
  return { name, secrets: [secret.format('rfc5803')] };
}

/** Returns a function that opens an exchange without the password, and reads the challenge. */
function challengesOf(checker: Checker<PasswordProof>) {
  const challenger = scram({ hash: 'sha256', key: Buffer.alloc(32, 'key') });
  const portal = new Portal(new AvatarRealm().provide(TestAvatar, (id) => new TestAvatar(id))).register(checker);
  return async (username: string): Promise<{ salt: string; saltLength: number; iterations: number }> => {
    const responder = scramResponder({ hash: 'sha256', username, password: 'guess' });
    const { messages, server } = await exchange(challenger, responder, { portal });
    expect(server).toEqual({ error: new UnauthorizedLogin() });
    const first = Buffer.from(messages[1]?.bytes ?? []).toString();
    const [, salt = '', iterations] = /,s=([^,]+),i=([0-9]+)$/.exec(first) ?? [];
    return { salt, saltLength: Buffer.from(salt, 'base64').length, iterations: Number(iterations) };
  };
}

const names = Array.from({ length: 40 }, (_, index) => `nobody${index}`);

describe('the SCRAM challenge of an unknown user', () => {
  it('has the iterations and the salt length of a user base from another program', async () => {
    const challenge = challengesOf(checkerOf([await scramUser('joe', 4096, 12)]).checker);
    for (const name of ['nobody', 'joe', 'ann']) {
      expect(await challenge(name)).toMatchObject({ iterations: 4096, saltLength: 12 });
    }
  });

  it('has those of some user in a mixed base, and the same at each look', async () => {
    const { checker } = checkerOf([await scramUser('joe', 4096, 12), await scramUser('ann', 5000, 16)]);
    const challenge = challengesOf(checker);
    const kinds = new Map<string, number>();
    for (const name of names) {
      const seen = await challenge(name);
      expect(await challenge(name)).toEqual(seen);
      const kind = `${seen.iterations},${seen.saltLength}`;
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    expect([...kinds.keys()].toSorted()).toEqual(['4096,12', '5000,16']);
    expect(Math.min(...kinds.values())).toBeGreaterThan(5);
  });

  it('changes for few names after a new kind of secret, and never back', async () => {
    const { checker, store } = checkerOf([await scramUser('joe', 4096, 16), await scramUser('ann', 5000, 16)]);
    const challenge = challengesOf(checker);
    const look = async () => Promise.all(names.map(async (name) => (await challenge(name)).iterations));
    const before = await look();
    await store.add(await scramUser('bob', 6000, 16));
    await challenge('bob');
    const after = await look();
    expect(after.every((iterations, index) => iterations === 6000 || iterations === before[index])).toBe(true);
    expect(after).toContain(6000);
    expect(await look()).toEqual(after);
  });

  it('has one salt for all spellings of a name, as a known user has', async () => {
    const challenge = challengesOf(checkerOf([await scramUser('joe', 4096, 16)]).checker);
    expect(await challenge('JOE')).toEqual(await challenge('joe'));
    expect(await challenge('NOBODY')).toEqual(await challenge('nobody'));
    expect((await challenge('nobody')).salt).not.toBe((await challenge('ann')).salt);
  });

  it('is that of a password in clear text, if the users have one', async () => {
    class Passwords extends InMemoryUserStore {
      override get credentialInterfaces() {
        return [PasswordProof];
      }
    }
    const checker = new UserChecker(new Passwords([{ name: 'joe', secrets: ['{PLAIN}s3cret'] }]));
    const challenge = challengesOf(checker);
    const own = { iterations: 60_000, saltLength: 16 };
    expect(await challenge('joe')).toMatchObject(own);
    expect(await challenge('nobody')).toMatchObject(own);
    expect(await challenge('JOE')).toEqual(await challenge('joe'));
    await checker[Symbol.asyncDispose]();
  });

  it('is learned from the users that log in, if the store lists none', async () => {
    const joe = await scramUser('joe', 4096, 12);
    const credentialInterfaces = [PasswordProof];
    const store = { find: (name: string) => (name === 'joe' ? joe : undefined), credentialInterfaces };
    const checker = new UserChecker(store, { policy: CHEAP_POLICY });
    const challenge = challengesOf(checker);
    expect(await challenge('nobody')).toMatchObject({ iterations: 60_000 });
    await challenge('joe');
    expect(await challenge('nobody')).toMatchObject({ iterations: 4096, saltLength: 12 });
    await checker[Symbol.asyncDispose]();
  });

  it('leaves the proof to the next database of a cascade', async () => {
    const first = checkerOf([await scramUser('joe', 4096, 12)]).checker;
    const second = checkerOf([await scramUser('ann', 4096, 12)]).checker;
    const portal = new Portal(new AvatarRealm().provide(TestAvatar, (id) => new TestAvatar(id)));
    portal.register(CascadingChecker.of(first, second));
    const responder = scramResponder({ hash: 'sha256', username: 'ann', password: 'pencil' });
    const { server } = await exchange(scram({ hash: 'sha256' }), responder, { portal });
    expect(server).toHaveProperty('login.avatarId', 'ann');
  });

  it('is reported once as an error if the sample fails, and logins still work', async () => {
    const joe = await scramUser('joe', 4096, 12);
    class Broken extends InMemoryUserStore {
      override list(): AsyncGenerator<UserRecord, void> {
        throw new Error('disk full');
      }
    }
    const errors: Error[] = [];
    const checker = new UserChecker(new Broken([joe]), { onError: (error) => void errors.push(error) });
    const challenge = challengesOf(checker);
    await challenge('nobody');
    await challenge('joe');
    expect(errors).toEqual([new Error('the user store could not be sampled for logins of unknown users')]);
    await checker[Symbol.asyncDispose]();
  });
});

describe('a user without a SCRAM secret', () => {
  it('is refused by SCRAM like an unknown user', async () => {
    const { checker } = checkerOf([await scramUser('joe', 4096, 12), { name: 'ann', secrets: [hashed('s3cret')] }]);
    const store = { find: (name: string) => (name === 'ann' ? { name, secrets: [hashed('x')] } : undefined) };
    const all = new UserChecker({ ...store, credentialInterfaces: [PasswordProof] }, { policy: CHEAP_POLICY });
    const challenge = challengesOf(all);
    expect((await challenge('ann')).iterations).toBe((await challenge('nobody')).iterations);
    await checker[Symbol.asyncDispose]();
    await all[Symbol.asyncDispose]();
  });
});

describe('the password of an unknown user', () => {
  it('is compared with a hash of the kind that the users have', async () => {
    const { checker, queue } = checkerOf([{ name: 'joe', secrets: [hashed('s3cret')] }]);
    await refuse(checker, 'nobody');
    await refuse(checker, 'joe');
    expect(queue.compared).toEqual(['ssha512', 'ssha512']);
  });

  it('is compared with hashes of all kinds in a mixed base, and with the same one at each login', async () => {
    const { checker, queue } = checkerOf([
      ...names.map((name) => ({ name: `known ${name}`, secrets: [hashed('s3cret')] })),
      ...names.map((name) => ({ name: `other ${name}`, secrets: [`{SHA256}${'A'.repeat(43)}=`] })),
    ]);
    const compareAll = async () => {
      for (const name of names) await refuse(checker, name);
      return queue.compared.splice(0);
    };
    const compared = await compareAll();
    expect(new Set(compared)).toEqual(new Set(['ssha512', 'sha256']));
    expect(await compareAll()).toEqual(compared);
  });

  it('is learned from the users that log in, if the store lists none', async () => {
    const { queue } = checkerOf([]);
    const store = { find: (name: string) => (name === 'joe' ? { name, secrets: [hashed('s3cret')] } : undefined) };
    const checker = new UserChecker(store, { queue, policy: CHEAP_POLICY });
    for (const name of ['nobody', 'joe', 'nobody']) await refuse(checker, name);
    expect(queue.compared).toEqual(['argon2id', 'ssha512', 'ssha512']);
  });

  it('is compared with heavy hashes only if all users have one', async () => {
    const heavy = (name: string) => ({ name, secrets: [`$2b$15$${'.'.repeat(53)}`] });
    const light = { name: 'joe', secrets: [hashed('s3cret')] };
    const mixed = checkerOf([heavy('ann'), light, ...names.map(heavy)]);
    for (const name of ['somebody', 'anybody', 'nobody']) await refuse(mixed.checker, name);
    expect(mixed.queue.compared).toEqual(['ssha512', 'ssha512', 'ssha512']);

    const all = checkerOf(names.map(heavy));
    all.queue.verify = async ({ scheme }) => all.queue.compared.push(scheme) < 0;
    await refuse(all.checker, 'nobody');
    expect(all.queue.compared).toEqual(['bcrypt']);
  });

  it('is wrong even if it is the password of the user whose hash it is compared with', async () => {
    const { checker } = checkerOf([
      { name: 'joe', secrets: [hashed('s3cret')] },
      { name: 'ann', secrets: ['{PLAIN}pa55'] },
    ]);
    for (const name of names) {
      await refuse(checker, name, 's3cret');
      await refuse(checker, name, 'pa55');
    }
  });
});

async function refuse(checker: UserChecker, name: string, password = 'guess'): Promise<void> {
  await expect(checker.requestAvatarId(new UsernamePassword(name, password), mindOf())).rejects.toEqual(
    new UnauthorizedLogin(),
  );
}
