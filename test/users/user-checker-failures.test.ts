import { AvatarRealm, Portal, TemporaryFailure, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { type EsmtpEvent, MessageDelivery } from '@postern/esmtp';
import { plain } from '@postern/sasl';
import { testMind } from '@postern/testing';
import { withThrottle } from '@postern/throttle';
import { HashQueue, type SecretError, UserChecker, type UserRecord, type UserStore } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { GREETED, RecordingDelivery, Server } from '../esmtp/server.ts';
import { ACCEPTED, CHEAP_POLICY, checkerOf, hashed, NOW, REFUSED, serverOf } from './checker-support.ts';

const TEMPORARY = 'S: 454 4.7.0 Temporary authentication failure';

function login(name: string, password: string, reply: string): string {
  return `
    C: AUTH PLAIN {base64:\\0${name}\\0${password}}
    ${reply}`;
}

/** A user with the right secrets, and parts that a store in JavaScript may return. */
function malformed(parts: Record<string, unknown>): Record<string, unknown> {
  return { name: 'joe', secrets: [hashed('s3cret')], ...parts };
}

function errorsOf(server: Server): EsmtpEvent[] {
  return server.events.filter(({ kind }) => kind === 'error');
}

async function outcome(checker: UserChecker, username: string, password: string): Promise<unknown> {
  return checker.requestAvatarId(new UsernamePassword(username, password), testMind()).catch((error) => error);
}

describe('a store that is down', () => {
  it.each([
    ['rejects', () => Promise.reject(new Error('connection refused'))],
    [
      'throws',
      () => {
        throw new Error('connection refused');
      },
    ],
    ['returns no user', () => ({ username: 'joe' })],
    ['returns a user without a name', () => ({ name: '', secrets: [] })],
    ['returns a user whose secrets are one text', () => ({ name: 'joe', secrets: hashed('s3cret') })],
    ['returns a user with a secret that is no text', () => malformed({ secrets: [hashed('s3cret'), 5] })],
    ['returns a user whose scopes are one text', () => malformed({ scopes: 'smtps' })],
    ['returns a user whose expiry is a text', () => malformed({ expires: '2030-01-01' })],
    ['returns a user whose second factor is a text', () => malformed({ totp: 'JBSWY3DPEHPK3PXP' })],
    ['returns a user with an object of application passwords', () => malformed({ appPasswords: {} })],
    [
      'returns a user with 1,001 application passwords',
      () =>
        malformed({ appPasswords: Array.from({ length: 1001 }, (_, index) => ({ name: `${index}`, secrets: [] })) }),
    ],
    [
      'returns an application password whose last use is a text',
      () => malformed({ appPasswords: [{ name: 'x', secrets: [], lastUsed: '2026-01-01' }] }),
    ],
    ['returns a user with an application password of one text', () => malformed({ appPasswords: ['x'] })],
  ])('is a temporary failure for every name: it %s', async (_how, find) => {
    const checker = new UserChecker({ find: find as never }, { policy: CHEAP_POLICY });
    await serverOf(checker).play(`${GREETED}
      ${login('joe', 's3cret', TEMPORARY)}
      ${login('joe', 'wrong', TEMPORARY)}
      ${login('nobody', 's3cret', TEMPORARY)}`);
    await expect(checker.hasUser('joe')).rejects.toThrow();
    await checker[Symbol.asyncDispose]();
  });

  it('fails no login with the right password while it stores what the login changes', async () => {
    const user = { name: 'joe', secrets: [hashed('s3cret')], appPasswords: [{ name: 'a', secrets: [hashed('app')] }] };
    const fail = () => {
      throw new Error('the disk is full');
    };
    const parts: Partial<UserStore>[] = [
      { update: fail },
      { update: () => Promise.reject(new Error('the disk is full')) },
      { update: () => {}, canUpdate: fail },
    ];
    for (const part of parts) {
      const messages: string[] = [];
      const onError = ({ message }: Error) => void messages.push(message);
      const checker = new UserChecker({ find: () => user, ...part }, { policy: CHEAP_POLICY, onError });
      expect([await outcome(checker, 'joe', 's3cret'), await outcome(checker, 'joe', 'app')]).toEqual(['joe', 'joe']);
      await checker[Symbol.asyncDispose]();
      expect(messages).toEqual(['the disk is full', 'the disk is full']);
    }
  });

  it('gets the signal of the login', async () => {
    const signals: AbortSignal[] = [];
    const store: UserStore = { find: (_name, signal) => void signals.push(signal) };
    const checker = new UserChecker(store, { policy: CHEAP_POLICY });
    const controller = new AbortController();
    const mind = testMind({ signal: controller.signal });
    await checker.requestAvatarId(new UsernamePassword('joe', 'x'), mind).catch(() => {});
    controller.abort();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await checker[Symbol.asyncDispose]();
  });
});

describe('a secret that cannot be used', () => {
  const broken = ['$argon2id$v=19$m=19456,t=2,p=1$c2FsdA', 's3cret', '$y$j9T$abcdefghijklmnopqrstu.$7uryFExhLbA'];

  it.each(broken)('is a temporary failure, and one line for the operator: %#', async (secret) => {
    const { checker, errors } = checkerOf([{ name: 'joe', secrets: [secret] }]);
    const server = serverOf(checker);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await server.play(`${GREETED}${login('joe', 's3cret', TEMPORARY)}${login('joe', 'wrong', TEMPORARY)}`);
    }
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ name: 'SecretError', message: expect.stringMatching(/^user "joe": .+/) });
    expect(`${errors[0]?.message}`).not.toContain('s3cret');
    expect(`${errors[0]?.message}`).not.toContain('c2FsdA');
  });

  it('is reported once for each user and each kind of error', async () => {
    const secrets = ['nonsense', '{NONSENSE}x'];
    const { checker, errors } = checkerOf([
      { name: 'joe', secrets },
      { name: 'ann', secrets },
      { name: 'tim', secrets: ['{SSHA}x'] },
    ]);
    for (const name of ['joe', 'ann', 'tim', 'joe', 'ann', 'tim']) await outcome(checker, name, 's3cret');
    const lines = errors.map((error) => `${(error as SecretError).code} ${/"(.*)"/.exec(error.message)?.[1]}`);
    expect(lines).toEqual(['unknown-scheme joe', 'unknown-scheme ann', 'malformed-secret tim']);
  });

  it('leaves the other secrets of the user as they are', async () => {
    const { checker, errors } = checkerOf([{ name: 'joe', secrets: ['nonsense', hashed('s3cret')] }]);
    await serverOf(checker).play(`${GREETED}
      ${login('joe', 'wrong', REFUSED)}
      ${login('joe', 's3cret', ACCEPTED)}`);
    expect(errors).toHaveLength(1);
  });

  it('opens no way to guess past a throttle beside a usable secret', async () => {
    const { checker } = checkerOf([{ name: 'joe', secrets: ['nonsense', hashed('s3cret')] }]);
    const guarded = withThrottle(checker, { userAndNetwork: { failures: 3, window: 60_000 } });
    const guess = async (password: string) =>
      Promise.resolve(guarded.requestAvatarId(new UsernamePassword('joe', password), testMind())).catch((e) => e);
    for (const password of ['a', 'b', 'c']) expect(await guess(password)).toBeInstanceOf(UnauthorizedLogin);
    expect(await guess('s3cret')).toMatchObject({ reason: 'too-many' });
  });

  it('of an application password leaves the user as it is', async () => {
    const appPasswords = [{ name: 'phone', secrets: ['nonsense'] }];
    const { checker, errors } = checkerOf([{ name: 'joe', secrets: [hashed('s3cret')], appPasswords }]);
    expect(await outcome(checker, 'joe', 's3cret')).toBe('joe');
    expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/^user "joe \(phone\)": /)]);
  });

  it.each(['99', -0.5, Number.NaN])(
    'of the second factor with the last step %j is a temporary failure',
    async (lastStep) => {
      const totp = { secret: 'JBSWY3DPEHPK3PXP', lastStep: lastStep as number };
      const { checker, errors } = checkerOf([{ name: 'joe', secrets: [hashed('s3cret')], totp }]);
      expect(await outcome(checker, 'joe', 's3cret000000')).toBeInstanceOf(TemporaryFailure);
      expect(errors.map(({ message }) => message)).toEqual([
        'user "joe": the TOTP record is malformed: expected a whole number as the last step',
      ]);
    },
  );

  it('of the second factor is a temporary failure', async () => {
    const user: UserRecord = { name: 'joe', secrets: [hashed('s3cret')], totp: { secret: 'nonsense!' } };
    const { checker, errors } = checkerOf([user]);
    for (const password of ['s3cret', 's3cret123456', 'wrong']) {
      expect(await outcome(checker, 'joe', password)).toBeInstanceOf(TemporaryFailure);
    }
    expect(errors.map(({ message }) => message)).toEqual([
      'user "joe": the TOTP record is malformed: the secret is not in base32',
    ]);
  });
});

describe('a full queue', () => {
  it('is a temporary failure for known and unknown users', async () => {
    await using queue = new HashQueue();
    await queue.close();
    const users = new Map([['joe', { name: 'joe', secrets: [ARGON2ID] }]]);
    const checker = new UserChecker({ find: (name) => users.get(name) }, { queue, policy: CHEAP_POLICY });
    for (const name of ['joe', 'nobody']) {
      expect(await outcome(checker, name, 's3cret')).toBeInstanceOf(TemporaryFailure);
    }
  });
});

describe('a throttle around the checker', () => {
  const limits = { userAndNetwork: { failures: 2, window: 60_000 } };
  const attempt = async (checker: UserChecker, username: string, passwords: readonly string[]) => {
    const guarded = withThrottle(checker, limits);
    const names: unknown[] = [];
    for (const password of passwords) {
      const login = Promise.resolve(
        guarded.requestAvatarId(new UsernamePassword(username, password), testMind()),
      ).catch((error: Error) => ('reason' in error ? error.reason : error.name));
      names.push(await login);
    }
    return names;
  };

  it('counts wrong passwords of known and unknown users alike', async () => {
    const { checker } = checkerOf([{ name: 'joe', secrets: [hashed('s3cret')] }]);
    const expected = ['UnauthorizedLogin', 'UnauthorizedLogin', 'too-many'];
    expect(await attempt(checker, 'joe', ['a', 'b', 'c'])).toEqual(expected);
    expect(await attempt(checker, 'nobody', ['a', 'b', 'c'])).toEqual(expected);
  });

  it('counts each wrong code, and no right password of a closed account', async () => {
    const { checker } = checkerOf([
      { name: 'joe', secrets: [hashed('s3cret')], totp: { secret: 'JBSWY3DPEHPK3PXP' } },
      { name: 'ann', secrets: [hashed('pa55word')], enabled: false },
    ]);
    const wrong = ['s3cret000000', 's3cret000001', 's3cret000002'];
    expect(await attempt(checker, 'joe', wrong)).toEqual(['UnauthorizedLogin', 'UnauthorizedLogin', 'too-many']);
    const right = ['pa55word', 'pa55word', 'pa55word'];
    expect(await attempt(checker, 'ann', right)).toEqual(['disabled', 'disabled', 'disabled']);
  });
});

describe('the errors of a session', () => {
  it('hold no password', async () => {
    const delivery = new RecordingDelivery();
    const checker = new UserChecker({ find: () => Promise.reject(new Error('down')) }, { now: () => NOW });
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => delivery)).register(checker);
    const server = new Server({ portal, delivery, challengers: [plain()] });
    await server.play(`${GREETED}${login('joe', 'hunter2', TEMPORARY)}`);
    expect(errorsOf(server)).toHaveLength(1);
    expect(JSON.stringify(server.events)).not.toContain('hunter2');
    await checker[Symbol.asyncDispose]();
  });
});

/** Of `s3cret`. The queue is closed before the comparison. */
const ARGON2ID = '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
