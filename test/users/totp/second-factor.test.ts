import { AvatarRealm, LoginDenied, PasswordProof, Portal, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { login, plain, ScramSecret, scram } from '@postern/sasl';
import { scramResponder } from '@postern/sasl/client';
import { exchange, TestAvatar, testMind } from '@postern/testing';
import { withThrottle } from '@postern/throttle';
import {
  generateAppPassword,
  InMemoryUserStore,
  type TotpRecord,
  totpCode,
  UserChecker,
  type UserRecord,
} from '@postern/users';
import { describe, expect, it } from 'vitest';
import { GREETED, RecordingDelivery, Server } from '../../esmtp/server.ts';
import { ACCEPTED, CHEAP_POLICY, checkerOf, hashed, NOW, REFUSED, serverOf } from '../checker-support.ts';

const totp: TotpRecord = { secret: 'JBSWY3DPEHPK3PXP' };
const joe: UserRecord = { name: 'joe', secrets: [hashed('s3cret')], totp };
const code = totpCode(totp, NOW);
const next = totpCode(totp, NOW + 30_000);
const previous = totpCode(totp, NOW - 30_000);

/** A script in which joe sends the password, and the server replies. */
function plainly(password: string, reply: string): string {
  return `
    C: AUTH PLAIN {base64:\\0joe\\0${password}}
    ${reply}`;
}

async function outcome(checker: UserChecker, username: string, password: string, mind = testMind()): Promise<unknown> {
  return checker.requestAvatarId(new UsernamePassword(username, password), mind).catch((error: unknown) => error);
}

describe('a code at the end of the password', () => {
  it('logs in by PLAIN, once', async () => {
    const { checker } = checkerOf([joe]);
    const server = serverOf(checker);
    await server.play(`${GREETED}${plainly(`s3cret${code}`, ACCEPTED)}`);
    await server.play(`${GREETED}${plainly(`s3cret${code}`, REFUSED)}`);
  });

  it('logs in by LOGIN', async () => {
    await serverOf(checkerOf([joe]).checker).play(`${GREETED}
      C: AUTH LOGIN
      S: 334 {base64:Username:}
      C: {base64:joe}
      S: 334 {base64:Password:}
      C: {base64:s3cret${code}}
      ${ACCEPTED}`);
  });

  it('may be one step early or late, and no more', async () => {
    expect(await outcome(checkerOf([joe]).checker, 'joe', `s3cret${previous}`)).toBe('joe');
    expect(await outcome(checkerOf([joe]).checker, 'joe', `s3cret${next}`)).toBe('joe');
    for (const steps of [-2, 2]) {
      const late = totpCode(totp, NOW + steps * 30_000);
      expect(await outcome(checkerOf([joe]).checker, 'joe', `s3cret${late}`)).toEqual(new UnauthorizedLogin());
    }
    const wide = checkerOf([joe], { totp: { window: 2 } }).checker;
    expect(await outcome(wide, 'joe', `s3cret${totpCode(totp, NOW + 60_000)}`)).toBe('joe');
  });

  it('is refused after a code of a later step', async () => {
    const { checker, store } = checkerOf([joe]);
    expect(await outcome(checker, 'joe', `s3cret${code}`)).toBe('joe');
    expect(store.find('joe')?.totp?.lastStep).toBe(Math.floor(NOW / 30_000));
    expect(await outcome(checker, 'joe', `s3cret${previous}`)).toEqual(new UnauthorizedLogin());
    expect(await outcome(checker, 'joe', `s3cret${next}`)).toBe('joe');
  });

  it.each([
    ['no code', 's3cret'],
    ['a code alone', code],
    ['a wrong code', `s3cret${code === '000000' ? '000001' : '000000'}`],
    ['a code of five digits', `s3cret${code.slice(1)}`],
    ['a code before the password', `${code}s3cret`],
    ['a wrong password and the right code', `wrong${code}`],
  ])('%s is refused like a wrong password, after one comparison', async (_what, password) => {
    const { checker, queue } = checkerOf([joe]);
    expect(await outcome(checker, 'joe', password)).toEqual(new UnauthorizedLogin());
    expect(queue.compared).toEqual(['ssha512']);
  });

  it('stays unused beside a wrong password', async () => {
    const { checker, store } = checkerOf([joe]);
    await outcome(checker, 'joe', `wrong${code}`);
    expect(store.find('joe')?.totp?.lastStep).toBeUndefined();
    expect(await outcome(checker, 'joe', `s3cret${code}`)).toBe('joe');
  });

  it('of another user is refused', async () => {
    const ann = { name: 'ann', secrets: [hashed('pa55word')], totp: { secret: 'KRSXG5CTMVRXEZLU' } };
    const { checker } = checkerOf([joe, ann]);
    expect(await outcome(checker, 'joe', `s3cret${totpCode(ann.totp, NOW)}`)).toEqual(new UnauthorizedLogin());
  });

  it('is part of the password of a user without a second factor', async () => {
    const { checker } = checkerOf([{ name: 'ann', secrets: [hashed('pa55123456')] }]);
    expect(await outcome(checker, 'ann', 'pa55123456')).toBe('ann');
    expect(await outcome(checker, 'ann', `pa55123456${code}`)).toEqual(new UnauthorizedLogin());
  });

  it('has the number of digits of the record', async () => {
    const eight: TotpRecord = { ...totp, digits: 8, algorithm: 'sha256', period: 60 };
    const { checker } = checkerOf([{ ...joe, totp: eight }]);
    expect(await outcome(checker, 'joe', `s3cret${totpCode(eight, NOW)}`)).toBe('joe');
  });

  it('lets the password before it be prepared without it', async () => {
    // SASLprep refuses both together: a right-to-left text must not end in a digit (RFC 3454 §6).
    const { checker } = checkerOf([{ ...joe, secrets: [hashed('\u05d0\u05d1')] }]);
    expect(await outcome(checker, 'joe', `\u05d0\u00ad\u05d1${code}`)).toBe('joe');
  });

  it('is denied to a disabled user with both factors right, and refused otherwise', async () => {
    const { checker } = checkerOf([{ ...joe, enabled: false }]);
    expect(await outcome(checker, 'joe', `s3cret${code === '000000' ? '000001' : '000000'}`)).toEqual(
      new UnauthorizedLogin(),
    );
    expect(await outcome(checker, 'joe', `s3cret${code}`)).toBeInstanceOf(LoginDenied);
  });
});

describe('two logins at once with one code', () => {
  it.each([
    ['a store with update', () => checkerOf([joe]).checker],
    ['a read-only store', () => new UserChecker({ find: () => joe }, { policy: CHEAP_POLICY, now: () => NOW })],
  ])('one of them succeeds: %s', async (_store, make) => {
    const checker = make();
    const logins = await Promise.all([
      outcome(checker, 'joe', `s3cret${code}`),
      outcome(checker, 'joe', `s3cret${code}`),
      outcome(checker, 'JOE', `s3cret${code}`),
    ]);
    expect(logins.filter((login) => login === 'joe')).toHaveLength(1);
    expect(logins.filter((login) => login instanceof UnauthorizedLogin)).toHaveLength(2);
  });
});

describe('a read-only store', () => {
  it('has its used codes in memory until they are wrong in any case', async () => {
    let now = NOW;
    const checker = new UserChecker({ find: () => joe }, { policy: CHEAP_POLICY, now: () => now });
    expect(await outcome(checker, 'joe', `s3cret${next}`)).toBe('joe');
    for (now = NOW; now < NOW + 90_000; now += 10_000) {
      expect(await outcome(checker, 'joe', `s3cret${next}`)).toEqual(new UnauthorizedLogin());
    }
    expect(await outcome(checker, 'joe', `s3cret${totpCode(totp, now)}`)).toBe('joe');
  });
});

describe('the prompt of LOGIN', () => {
  const prompting = (users: readonly UserRecord[]) => checkerOf(users, { totp: { codePrompt: 'Code:' } }).checker;
  const asked = `${GREETED}
      C: AUTH LOGIN
      S: 334 {base64:Username:}
      C: {base64:joe}
      S: 334 {base64:Password:}`;

  it.each([
    ['the code', 's3cret', code, ACCEPTED],
    ['the code with a blank', 's3cret', `${code.slice(0, 3)} ${code.slice(3)}`, ACCEPTED],
    ['the code after a wrong password', 'wrong', code, REFUSED],
    ['a wrong code', 's3cret', code === '000000' ? '000001' : '000000', REFUSED],
    ['the password again', 's3cret', 's3cret', REFUSED],
  ])('is answered with %s', async (_what, password, answer, reply) => {
    await serverOf(prompting([joe])).play(`${asked}
      C: {base64:${password}}
      S: 334 {base64:Code:}
      C: {base64:${answer}}
      ${reply}`);
  });

  it('is cancelled by the client', async () => {
    await serverOf(prompting([joe])).play(`${asked}
      C: {base64:s3cret}
      S: 334 {base64:Code:}
      C: *
      S: 501...`);
  });

  it('is not sent after a password that ends in a code', async () => {
    await serverOf(prompting([joe])).play(`${asked}
      C: {base64:s3cret${code}}
      ${ACCEPTED}`);
    await serverOf(prompting([joe])).play(`${asked}
      C: {base64:wrong${code}}
      ${REFUSED}`);
  });

  it('is not sent to other users, nor by PLAIN', async () => {
    await serverOf(prompting([{ name: 'joe', secrets: [hashed('s3cret')] }])).play(`${asked}
      C: {base64:s3cret}
      ${ACCEPTED}`);
    await serverOf(prompting([])).play(`${asked}
      C: {base64:s3cret}
      ${REFUSED}`);
    await serverOf(prompting([joe])).play(`${GREETED}${plainly('s3cret', REFUSED)}`);
  });

  it('counts each wrong code for a throttle, although the password is the same', async () => {
    const delivery = new RecordingDelivery();
    const checker = withThrottle(prompting([joe]), { userAndNetwork: { failures: 2, window: 60_000 } });
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => delivery)).register(checker);
    const server = new Server({ portal, delivery, challengers: [plain(), login()] });
    for (const guess of ['000000', '000001']) {
      await server.play(`${asked}
        C: {base64:s3cret}
        S: 334 {base64:Code:}
        C: {base64:${guess}}
        ${REFUSED}`);
    }
    await server.play(`${asked}
      C: {base64:s3cret}
      S: 454...`);
  });
});

describe('a user with a second factor and a SCRAM record', () => {
  it('is refused by SCRAM like an unknown user, and never accepted without the code', async () => {
    const secret = await ScramSecret.derive('s3cret', { hash: 'sha256', iterations: 4096 });
    const user = { ...joe, secrets: [secret.format('rfc5803')] };
    const store = {
      find: (name: string) => (name === 'joe' ? user : undefined),
      credentialInterfaces: [PasswordProof],
    };
    const checker = new UserChecker(store, { policy: CHEAP_POLICY, now: () => NOW });
    const portal = new Portal(new AvatarRealm().provide(TestAvatar, (id) => new TestAvatar(id))).register(checker);
    const challenger = scram({ hash: 'sha256', iterations: 4096 });
    const attempt = async (username: string, password: string) => {
      const responder = scramResponder({ hash: 'sha256', username, password });
      const { messages, server } = await exchange(challenger, responder, { portal });
      return { messages: messages.map(({ from }) => from), server };
    };
    for (const password of ['s3cret', `s3cret${code}`]) {
      const known = await attempt('joe', password);
      expect(known).toEqual(await attempt('nobody', password));
      expect(known.server).toEqual({ error: new UnauthorizedLogin() });
    }
    expect(await outcome(checker, 'joe', `s3cret${code}`)).toBe('joe');
    await checker[Symbol.asyncDispose]();
  });
});

describe('an application password', () => {
  const phone = generateAppPassword('phone', { scopes: ['smtp', 'imap'] });
  const ann = generateAppPassword('old', { scopes: ['smtp'], expires: new Date(NOW) });
  const withPhone: UserRecord = { ...joe, appPasswords: [phone.record, ann.record] };

  it('logs in without a code, within its scope', async () => {
    await serverOf(checkerOf([withPhone]).checker).play(`${GREETED}${plainly(phone.password, ACCEPTED)}`);
  });

  it('logs in by LOGIN without the prompt', async () => {
    const { checker } = checkerOf([withPhone], { totp: { codePrompt: 'Code:' } });
    await serverOf(checker).play(`${GREETED}
      C: AUTH LOGIN
      S: 334 {base64:Username:}
      C: {base64:joe}
      S: 334 {base64:Password:}
      C: {base64:${phone.password}}
      ${ACCEPTED}`);
  });

  it('is denied outside its scope, and after its time', async () => {
    const { checker } = checkerOf([withPhone]);
    const pop3 = testMind({ protocol: 'pop3' });
    expect(await outcome(checker, 'joe', phone.password, pop3)).toMatchObject({ reason: 'not-authorized' });
    expect(await outcome(checker, 'joe', ann.password)).toMatchObject({ reason: 'expired' });
  });

  it('is denied outside the scope of its user, and to a disabled user', async () => {
    const pop3Only = checkerOf([{ ...withPhone, scopes: ['pop3'] }]).checker;
    expect(await outcome(pop3Only, 'joe', phone.password)).toMatchObject({ reason: 'not-authorized' });
    const disabled = checkerOf([{ ...withPhone, enabled: false }]).checker;
    expect(await outcome(disabled, 'joe', phone.password)).toMatchObject({ reason: 'disabled' });
  });

  it('stays valid for a user that must change the password', async () => {
    const { checker } = checkerOf([{ ...withPhone, mustChangePassword: true }]);
    expect(await outcome(checker, 'joe', phone.password)).toBe('joe');
  });

  it('of another user is refused', async () => {
    const { checker } = checkerOf([withPhone, { name: 'ann', secrets: [hashed('pa55word')] }]);
    expect(await outcome(checker, 'ann', phone.password)).toEqual(new UnauthorizedLogin());
  });

  it('has its last use stored at most once a minute', async () => {
    let now = NOW;
    const { checker, store } = checkerOf([withPhone], { now: () => now });
    const lastUsed = async (): Promise<number | undefined> => {
      await outcome(checker, 'joe', phone.password);
      await new Promise((resolve) => setImmediate(resolve));
      return store.find('joe')?.appPasswords?.[0]?.lastUsed?.getTime();
    };
    expect(await lastUsed()).toBe(NOW);
    now += 59_999;
    expect(await lastUsed()).toBe(NOW);
    now += 1;
    expect(await lastUsed()).toBe(NOW + 60_000);
    expect(store.find('joe')?.appPasswords?.[1]).toEqual(ann.record);
  });

  it('that a new one of the same name replaces stores no use for it', async () => {
    const users = new InMemoryUserStore([withPhone]);
    const renewed = generateAppPassword('phone').record;
    const checker = new UserChecker(
      {
        find: (name) => users.find(name),
        async update(name, change) {
          await users.update(name, (user) => ({ ...user, appPasswords: [renewed] }));
          await users.update(name, change);
        },
      },
      { policy: CHEAP_POLICY, now: () => NOW },
    );
    expect(await outcome(checker, 'joe', phone.password)).toBe('joe');
    await checker[Symbol.asyncDispose]();
    expect(users.find('joe')?.appPasswords).toEqual([renewed]);
  });
});
