import { hash } from 'node:crypto';
import { AvatarRealm, PasswordProof, Portal, UnauthorizedLogin } from '@postern/cred';
import { type Challenger, cramMd5, cramMd5Contexts, digestMd5 } from '@postern/sasl';
import { cramMd5Responder, digestMd5Responder, type Responder } from '@postern/sasl/client';
import { exchange, TestAvatar } from '@postern/testing';
import { UserChecker, type UserRecord } from '@postern/users';
import { afterAll, describe, expect, it } from 'vitest';
import { CHEAP_POLICY, hashed } from './checker-support.ts';

const digest = hash('md5', 'keys:mail.example.com:s3cret');
const users: readonly UserRecord[] = [
  { name: 'clear', secrets: ['{PLAIN}s3cret'] },
  { name: 'keys', secrets: [`{CRAM-MD5}${cramMd5Contexts('s3cret').toString('hex')}`, `{DIGEST-MD5}${digest}`] },
  { name: 'hash', secrets: [hashed('s3cret')] },
  { name: 'closed', secrets: ['{PLAIN}s3cret'], enabled: false },
  { name: 'totp', secrets: ['{PLAIN}s3cret'], totp: { secret: 'JBSWY3DPEHPK3PXP' } },
];
const store = {
  find: (name: string) => users.find((user) => user.name === name),
  credentialInterfaces: [PasswordProof],
};
const checker = new UserChecker(store, { policy: CHEAP_POLICY, allowWeak: true });
afterAll(() => checker[Symbol.asyncDispose]());

type Client = (username: string, password: string) => Responder;
const target = { service: 'smtp', host: 'mail.example.com' };
const mechanisms: readonly (readonly [string, Challenger, Client])[] = [
  ['CRAM-MD5', cramMd5({ hostname: target.host }), (username, password) => cramMd5Responder({ username, password })],
  [
    'DIGEST-MD5',
    digestMd5({ realm: target.host }),
    (username, password) => digestMd5Responder({ username, password, ...target }),
  ],
];

describe.each(mechanisms)('%s', (_name, challenger, client) => {
  async function login(username: string, password: string): Promise<unknown> {
    const portal = new Portal(new AvatarRealm().provide(TestAvatar, (id) => new TestAvatar(id))).register(checker);
    const { server } = await exchange(challenger, client(username, password), { portal });
    return 'login' in server ? server.login.avatarId : server.error;
  }

  it.each(['clear', 'keys'])('verifies a user with %s', async (name) => {
    expect(await login(name, 's3cret')).toBe(name);
    expect(await login(name, 'wrong')).toEqual(new UnauthorizedLogin());
  });

  it.each(['hash', 'nobody', 'totp'])('refuses like a wrong password: %s', async (name) => {
    expect(await login(name, 's3cret')).toEqual(new UnauthorizedLogin());
  });

  it('denies a closed account after the right password', async () => {
    expect(await login('closed', 's3cret')).toMatchObject({ reason: 'disabled' });
    expect(await login('closed', 'wrong')).toEqual(new UnauthorizedLogin());
  });
});
