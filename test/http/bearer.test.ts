import { AvatarRealm, checker, Identity, identityOf, LoginDenied, Portal, UnauthorizedLogin } from '@postern/cred';
import { bearer } from '@postern/http';
import { BearerToken } from '@postern/sasl';
import { expect, test } from 'vitest';
import { Server } from './server.ts';

const tokens = checker([BearerToken], ({ token }) => {
  if (token === 'mF_9.B5f-4.1JqM') return 'ann';
  if (token === 'expired') throw new LoginDenied('expired');
  if (token === 'often') throw new LoginDenied('too-many', undefined, { retryAfter: 1_500 });
  if (token === 'broken') throw new Error('the authorization server is down');
  throw new UnauthorizedLogin();
});

function server(options?: Parameters<typeof bearer>[0]): Server {
  const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(tokens);
  return new Server({ portal, schemes: [bearer(options)] });
}

const CHALLENGE = 'WWW-Authenticate: Bearer realm="example.com"';

test.each([
  ['no credentials', undefined, `401\n${CHALLENGE}`],
  ['the token of RFC 6750 §2.1', 'Bearer mF_9.B5f-4.1JqM', 'ann'],
  ['a wrong token', 'Bearer x', `401\n${CHALLENGE}, error="invalid_token"`],
  ['a token of a user who may not log in', 'Bearer expired', `403\n${CHALLENGE}, error="insufficient_scope"`],
  ['a throttled client', 'Bearer often', '429\nRetry-After: 2'],
  ['a failure of the checker', 'Bearer broken', '503\nRetry-After: 30'],
  ['no token', 'Bearer', `400\n${CHALLENGE}, error="invalid_request"`],
  ['a quoted token', 'Bearer "x"', `400\n${CHALLENGE}, error="invalid_request"`],
  ['a token of 9,000 octets', `Bearer ${'x'.repeat(9_000)}`, `401\n${CHALLENGE}, error="invalid_token"`],
])('answers %s', async (_name, field, answer) => {
  expect(await server().get(field)).toBe(answer);
});

test('names the scope that a token needs', async () => {
  expect(await server({ scope: 'mail read' }).get()).toBe(`401\n${CHALLENGE}, scope="mail read"`);
});

test('refuses a scope outside the grammar', () => {
  expect(() => bearer({ scope: 'a  b' })).toThrow('scope: expected tokens');
});

test('reports a failure of the checker as an error of this server', async () => {
  const failing = server();
  await failing.get('Bearer broken');
  expect(failing.events).toMatchObject([{ kind: 'error', culprit: 'us', during: 'request' }]);
});
