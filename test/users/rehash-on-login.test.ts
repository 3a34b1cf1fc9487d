import { TemporaryFailure, UsernamePassword } from '@postern/cred';
import { plain, ScramSha256Credentials, scram } from '@postern/sasl';
import { testMind } from '@postern/testing';
import {
  HashQueue,
  type HashThreads,
  InMemoryUserStore,
  totpCode,
  UserChecker,
  type UserRecord,
  type UserStore,
} from '@postern/users';
import { describe, expect, it } from 'vitest';
import { ACCEPTED, CHEAP_POLICY, checkerOf, hashed, NOW, serverOf } from './checker-support.ts';

const joe: UserRecord = { name: 'joe', secrets: [hashed('s3cret')] };

async function login(checker: UserChecker, username = 'joe', password = 's3cret'): Promise<unknown> {
  return checker.requestAvatarId(new UsernamePassword(username, password), testMind()).catch((error) => error);
}

/** A store whose updates wait until the test opens it. */
class GatedStore extends InMemoryUserStore {
  updates = 0;
  readonly gate = Promise.withResolvers<void>();

  override async update(...args: Parameters<InMemoryUserStore['update']>): Promise<void> {
    this.updates += 1;
    await this.gate.promise;
    await super.update(...args);
  }
}

describe('a login with a hash below the policy', () => {
  it('stores the forms of the policy, and the next EHLO offers SCRAM', async () => {
    const { checker, store } = checkerOf([joe]);
    const server = serverOf(checker, { challengers: [scram({ hash: 'sha256' }), plain()] });
    await server.play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH PLAIN
      C: AUTH PLAIN {base64:\\0joe\\0s3cret}
      ${ACCEPTED}`);
    await checker[Symbol.asyncDispose]();
    expect(store.find('joe')?.secrets).toEqual([
      expect.stringMatching(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/),
      expect.stringMatching(/^SCRAM-SHA-256\$4096:/),
    ]);
    expect(store.credentialInterfaces).toContain(ScramSha256Credentials);
    await server.play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH SCRAM-SHA-256 PLAIN
      C: AUTH PLAIN {base64:\\0joe\\0s3cret}
      ${ACCEPTED}`);
  });

  it('happens once: the new hash is as strong as the policy', async () => {
    const store = new GatedStore([joe]);
    store.gate.resolve();
    const first = new UserChecker(store, { policy: CHEAP_POLICY });
    await login(first);
    await first[Symbol.asyncDispose]();
    const second = new UserChecker(store, { policy: CHEAP_POLICY });
    expect(await login(second)).toBe('joe');
    await second[Symbol.asyncDispose]();
    expect(store.updates).toBe(1);
  });

  it('keeps the other parts of the user', async () => {
    const user = { ...joe, scopes: ['smtp'], expires: new Date(NOW + 1) };
    const { checker, store } = checkerOf([user]);
    await login(checker);
    await checker[Symbol.asyncDispose]();
    expect(store.find('joe')).toEqual({ ...user, secrets: [expect.any(String), expect.any(String)] });
  });

  it('stores the password without the one-time code', async () => {
    const totp = { secret: 'JBSWY3DPEHPK3PXP' };
    const { checker, store } = checkerOf([{ ...joe, totp }]);
    expect(await login(checker, 'joe', `s3cret${totpCode(totp, NOW)}`)).toBe('joe');
    await checker[Symbol.asyncDispose]();
    await store.update('joe', ({ name, secrets }) => ({ name, secrets }));
    expect(await login(checkerOf([store.find('joe') as UserRecord]).checker)).toBe('joe');
  });

  it.each([
    ['a wrong password', joe, 'wrong'],
    ['a disabled user', { ...joe, enabled: false }, 's3cret'],
    ['a user that must change the password', { ...joe, mustChangePassword: true }, 's3cret'],
    ['a password in clear text', { ...joe, secrets: ['{PLAIN}s3cret'] }, 's3cret'],
  ])('changes nothing for %s', async (_what, user, password) => {
    const { checker, store } = checkerOf([user]);
    await login(checker, 'joe', password);
    await checker[Symbol.asyncDispose]();
    expect(store.find('joe')).toEqual(user);
  });

  it('changes nothing if the password was changed meanwhile', async () => {
    const store = new GatedStore([joe]);
    const checker = new UserChecker(store, { policy: CHEAP_POLICY });
    expect(await login(checker)).toBe('joe');
    const changed = { name: 'joe', secrets: [hashed('new')] };
    await store.remove('joe');
    await store.add(changed);
    store.gate.resolve();
    await checker[Symbol.asyncDispose]();
    expect(store.find('joe')).toEqual(changed);
  });

  it('runs once for one user, and for two users at the same time', async () => {
    const names = ['joe', 'ann', 'tim'];
    const store = new GatedStore(names.map((name) => ({ ...joe, name })));
    const checker = new UserChecker(store, { policy: CHEAP_POLICY });
    for (const name of ['joe', 'joe', ...names]) expect(await login(checker, name)).toBe(name);
    store.gate.resolve();
    await checker[Symbol.asyncDispose]();
    expect(store.updates).toBe(2);
    expect(store.find('tim')?.secrets).toEqual(joe.secrets);
  });

  it('is left to the next login while the queue is full', async () => {
    class FullQueue extends HashQueue {
      override run: HashQueue['run'] = async ({ place }, task) => {
        if (place === 'pool') throw new TemporaryFailure('256 hashes are waiting already');
        return task({} as HashThreads);
      };
    }
    const queue = new FullQueue();
    const { checker, store, errors } = checkerOf([joe], { queue });
    expect(await login(checker)).toBe('joe');
    await checker[Symbol.asyncDispose]();
    expect(store.find('joe')).toEqual(joe);
    expect(errors).toEqual([]);
  });

  it('succeeds if the store cannot be changed, and the operator hears of it', async () => {
    const store = new GatedStore([joe]);
    const errors: Error[] = [];
    const checker = new UserChecker(store, { policy: CHEAP_POLICY, onError: (error) => void errors.push(error) });
    expect(await login(checker)).toBe('joe');
    store.gate.promise.catch(() => {});
    store.gate.reject(new Error('disk full'));
    await checker[Symbol.asyncDispose]();
    expect(errors).toEqual([new Error('disk full')]);
  });

  it('is no error if the user was removed meanwhile', async () => {
    const store = new GatedStore([joe]);
    const errors: Error[] = [];
    const checker = new UserChecker(store, { policy: CHEAP_POLICY, onError: (error) => void errors.push(error) });
    expect(await login(checker)).toBe('joe');
    await store.remove('joe');
    store.gate.resolve();
    await checker[Symbol.asyncDispose]();
    expect(errors).toEqual([]);
  });

  it('starts no work after the checker is disposed of', async () => {
    const { checker, store } = checkerOf([joe]);
    await checker[Symbol.asyncDispose]();
    expect(await login(checker)).toBe('joe');
    expect(store.find('joe')).toEqual(joe);
  });
});

describe('a process warning', () => {
  it('is what errors become without onError', async () => {
    const warning = warningLike(/^user "joe": /);
    const checker = new UserChecker(new InMemoryUserStore([{ name: 'joe', secrets: ['x!'] }]), {
      policy: CHEAP_POLICY,
    });
    await login(checker);
    expect(await warning).toMatchObject({ name: 'PosternWarning' });
    await checker[Symbol.asyncDispose]();
  });

  it('has the reason of a failure', async () => {
    const warning = warningLike(/could not be sampled.*: the disk has failed$/);
    const store: UserStore = {
      find: () => joe,
      list() {
        throw new Error('the disk has failed');
      },
    };
    const checker = new UserChecker(store, { policy: CHEAP_POLICY });
    await login(checker);
    expect(await warning).toMatchObject({ name: 'PosternWarning' });
    await checker[Symbol.asyncDispose]();
  });
});

/** Resolves to the first warning with the message; other files of this process warn too. */
function warningLike(message: RegExp): Promise<Error> {
  return new Promise((resolve) => {
    process.on('warning', function hear(warning) {
      if (!message.test(warning.message)) return;
      process.off('warning', hear);
      resolve(warning);
    });
  });
}
