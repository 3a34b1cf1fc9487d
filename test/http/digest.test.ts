import { createHash } from 'node:crypto';
import { type DigestAlgorithm, digest, digestUserhash, HttpDigestResponse } from '@postern/http';
import { expect, test } from 'vitest';
import { Server } from './server.ts';

/** The example of RFC 7616 §3.9.1. */
const INPUT = {
  method: 'GET',
  uri: '/dir/index.html',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  nc: '00000001',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};

test.each([
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
] as const)('checks the response of RFC 7616 §3.9.1 with %s', (algorithm, response) => {
  const credentials = (useNonce = () => true) =>
    new HttpDigestResponse({
      username: 'Mufasa',
      rawUsername: 'Mufasa',
      realm: 'http-auth@example.org',
      algorithm,
      input: INPUT,
      response,
      useNonce,
    });
  expect(credentials().checkPassword('Circle of Life')).toBe(true);
  expect(credentials().checkPassword('Circle of Death')).toBe(false);
  expect(credentials(() => false).checkPassword('Circle of Life')).toBe(false);
  const secret = h(algorithm, 'Mufasa:http-auth@example.org:Circle of Life');
  expect(credentials().checkSecret(secret)).toBe(true);
});

test('hashes the user name of RFC 7616 §3.4.4', () => {
  expect(digestUserhash('Mufasa', 'example.com')).toBe(h('SHA-256', 'Mufasa:example.com'));
});

test('challenges with one line for each algorithm, SHA-256 first', async () => {
  const answer = await new Server({ schemes: [digest({ algorithms: ['SHA-256', 'MD5'] })] }).get();
  const line = (algorithm: string) =>
    `WWW-Authenticate: Digest realm="example.com", qop="auth", algorithm=${algorithm}, nonce="X", charset=UTF-8`;
  expect(answer.replace(/nonce="[\w-]{44}"/g, 'nonce="X"')).toBe(['401', line('SHA-256'), line('MD5')].join('\n'));
});

test.each(['SHA-256', 'MD5'] as const)('logs in by %s, and proves itself', async (algorithm) => {
  const server = new Server({ schemes: [digest({ algorithms: ['SHA-256', 'MD5'] })] });
  const nonce = nonceIn(await server.get());
  expect(await server.get(field({ nonce, algorithm }))).toBe(
    `ann\nAuthentication-Info: rspauth="${response({ nonce, algorithm }, '')}", cnonce="c=", nc=00000001, qop=auth`,
  );
});

test('takes each nonce count once, also out of order', async () => {
  const server = new Server({ schemes: [digest()] });
  const nonce = nonceIn(await server.get());
  for (const nc of ['00000003', '00000001', '00000002', '00000100']) {
    expect(await server.get(field({ nonce, nc }))).toMatch(/^ann\n/);
  }
  for (const nc of ['00000001', '00000003', '00000100', '00000004']) {
    expect(await server.get(field({ nonce, nc }))).toMatch(/^401\n.*stale=true$/);
  }
});

test('lets one of two requests with one nonce count in', async () => {
  const server = new Server({ schemes: [digest()] });
  const nonce = nonceIn(await server.get());
  const answers = await Promise.all([server.get(field({ nonce })), server.get(field({ nonce }))]);
  expect(answers.filter((answer) => answer.startsWith('ann'))).toHaveLength(1);
});

test('asks for a new nonce after the lifetime, without a look at the password', async () => {
  const server = new Server({ schemes: [digest({ nonceLifetime: 1_000 })] });
  const nonce = nonceIn(await server.get());
  await server.clock.advance(1_000);
  const answer = await server.get(field({ nonce, password: 'wrong' }));
  expect(answer).toMatch(/^401\n.*stale=true$/);
  expect(await server.get(field({ nonce: nonceIn(answer) }))).toMatch(/^ann\n/);
  expect(server.events.map(({ kind }) => kind)).toEqual(['authenticated']);
});

test('forgets no used nonce that a replay could use', async () => {
  const server = new Server({ schemes: [digest({ maxNonces: 2 })] });
  const nonces = [];
  for (let index = 0; index < 3; index++) {
    const nonce = nonceIn(await server.get());
    nonces.push(nonce);
    expect(await server.get(field({ nonce }))).toMatch(/^ann\n/);
    await server.clock.advance(10);
  }
  for (const nonce of nonces) expect(await server.get(field({ nonce }))).toMatch(/stale=true$/);
});

test.each([
  ['another realm', { realm: 'example.org' }, /^401\n(?!.*stale)/],
  ['a foreign nonce', { nonce: 'A'.repeat(44) }, /^401\n.*stale=true$/],
  ['an empty nonce', { nonce: '' }, /^401\n.*stale=true$/],
  ['a wrong password', { password: 'wrong' }, /^401\n(?!.*stale)/],
  ['an unknown user', { username: 'bob' }, /^401\n(?!.*stale)/],
  ['another target', { uri: '/other' }, /^400\n/],
  ['MD5 without an offer', { algorithm: 'MD5' }, /^400\n/],
  ['auth-int', { qop: 'auth-int' }, /^400\n/],
  ['a count of 0', { nc: '00000000' }, /^400\n/],
  ['a count of 7 digits', { nc: '0000001' }, /^400\n/],
  ['a doubled parameter', { more: ', uri="/"' }, /^400\n/],
  ['username and username*', { more: ", username*=UTF-8''ann" }, /^400\n/],
  ['userhash without an offer', { more: ', userhash=true' }, /^400\n/],
  ['800 parameters', { more: Array.from({ length: 800 }, (_, index) => `, x${index}=1`).join('') }, /^400\n/],
] satisfies [string, Partial<Fields>, RegExp][])('answers %s', async (_name, fields, answer) => {
  const server = new Server({ schemes: [digest()] });
  const nonce = nonceIn(await server.get());
  expect(await server.get(field({ nonce, ...fields }))).toMatch(answer);
});

test('takes a name in username*, and a password in ISO 8859-1', async () => {
  const server = new Server({ schemes: [digest()] });
  const nonce = nonceIn(await server.get());
  const extended = field({ nonce, username: 'test', password: '123£' }).replace(
    'username="test"',
    "username*=UTF-8''%74est",
  );
  expect(await server.get(extended)).toMatch(/^test\n/);
  const latin1 = field({ nonce, nc: '00000002', username: 'test', password: '123£', encoding: 'latin1' });
  expect(await server.get(latin1)).toMatch(/^test\n/);
});

test('finds a user by the hash of the name', async () => {
  const names = new Map([[digestUserhash('ann', 'example.com'), 'ann']]);
  const server = new Server({ schemes: [digest({ usernameOf: (userhash) => names.get(userhash) })] });
  const challenge = await server.get();
  expect(challenge).toContain('userhash=true');
  const nonce = nonceIn(challenge);
  const hashed = (username: string, nc: string) =>
    field({ nonce, nc, more: ', userhash=true' }).replace(
      'username="ann"',
      `username="${digestUserhash(username, 'example.com')}"`,
    );
  expect(await server.get(hashed('ann', '00000001'))).toMatch(/^ann\n/);
  expect(await server.get(hashed('bob', '00000002'))).toMatch(/^401\n(?!.*stale)/);
});

interface Fields {
  username: string;
  password: string;
  realm: string;
  nonce: string;
  uri: string;
  nc: string;
  qop: string;
  algorithm: DigestAlgorithm;
  more: string;
  encoding: BufferEncoding;
}

const FIELDS: Fields = {
  username: 'ann',
  password: 'secret',
  realm: 'example.com',
  nonce: '',
  uri: '/',
  nc: '00000001',
  qop: 'auth',
  algorithm: 'SHA-256',
  more: '',
  encoding: 'utf8',
};

/** Returns the field of a client as curl writes it. */
function field(fields: Partial<Fields>): string {
  const { username, realm, nonce, uri, nc, qop, algorithm, more } = { ...FIELDS, ...fields };
  return (
    `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", cnonce="c=", nc=${nc}, ` +
    `algorithm=${algorithm}, response="${response(fields)}", qop=${qop}${more}`
  );
}

function response(fields: Partial<Fields>, method = 'GET'): string {
  const { username, password, realm, nonce, uri, nc, qop, algorithm, encoding } = { ...FIELDS, ...fields };
  const a1 = createHash(nameOf(algorithm))
    .update(Buffer.from(`${username}:${realm}:${password}`, encoding))
    .digest('hex');
  return h(algorithm, `${a1}:${nonce}:${nc}:c=:${qop}:${h(algorithm, `${method}:${uri}`)}`);
}

function h(algorithm: DigestAlgorithm, text: string): string {
  return createHash(nameOf(algorithm)).update(text).digest('hex');
}

function nameOf(algorithm: DigestAlgorithm): string {
  return algorithm.replace('-', '').toLowerCase();
}

function nonceIn(answer: string): string {
  return /nonce="([^"]*)"/.exec(answer)?.[1] ?? '';
}
