import { basic } from '@postern/http';
import { expect, test } from 'vitest';
import { basicField, Server } from './server.ts';

const CHALLENGE = '401\nWWW-Authenticate: Basic realm="example.com", charset="UTF-8"';
const MALFORMED = CHALLENGE.replace('401', '400');

test('challenges a request without credentials, without an event', async () => {
  const server = new Server({ schemes: [basic()] });
  expect(await server.get()).toBe(CHALLENGE);
  expect(server.events).toEqual([]);
});

test.each([
  ['RFC 7617 §2.1, UTF-8', 'Basic dGVzdDoxMjPCow==', 'test'],
  ['ISO 8859-1', basicField('test:123\u00a3', 'latin1'), 'test'],
  ['another case of letters', `bAsIc   ${btoa('ann:secret')}`, 'ann'],
  ['a wrong password', basicField('ann:wrong'), CHALLENGE],
  ['an unknown user', basicField('bob:secret'), CHALLENGE],
  ['an empty password', basicField('ann:'), CHALLENGE],
  ['an empty user name', basicField(':secret'), CHALLENGE],
  ['no colon', basicField('ann'), MALFORMED],
  ['a control character', basicField('ann:sec\tret'), MALFORMED],
  ['NUL', basicField('ann:secret\0'), MALFORMED],
  ['base64 without padding', 'Basic YW5uOnNlY3JldAo', MALFORMED],
  ['two credentials in one field', `${basicField('ann:secret')}, ${basicField('ann:secret')}`, MALFORMED],
  ['two fields', [basicField('ann:secret'), basicField('ann:secret')], '400'],
  ['no scheme', '', '400'],
  ['another scheme', 'Negotiate YII=', CHALLENGE],
  ['a field of 1 MiB', `Basic ${'A'.repeat(2 ** 20)}`, '431'],
])('answers %s', async (_name, field, answer) => {
  const server = new Server({ schemes: [basic()] });
  expect(await server.get(field)).toBe(answer);
});

test('returns a login synchronously, and ends it with its disposal', async () => {
  const { auth, mind, portal } = new Server({ schemes: [basic()] });
  const authorization = basicField('ann:secret');
  const outcome = auth.authenticate({ method: 'GET', target: '/', authorization, mind });
  expect(outcome).not.toBeInstanceOf(Promise);
  expect(portal.openLogins).toBe(1);
  await (await outcome)[Symbol.asyncDispose]();
  expect(portal.openLogins).toBe(0);
});

test('delays a refusal', async () => {
  const server = new Server({ schemes: [basic()], limits: { minFailureDelay: 250 } });
  const answer = server.get(basicField('ann:wrong'));
  let isAnswered = false;
  void answer.then(() => {
    isAnswered = true;
  });
  await server.clock.advance(249);
  expect(isAnswered).toBe(false);
  await server.clock.advance(1);
  expect(await answer).toBe(CHALLENGE);
});

test('offers nothing that exposes a password without TLS', async () => {
  const server = new Server({ schemes: [basic()], mind: { tls: undefined } });
  expect(await server.get()).toBe('403');
  expect(await server.get(basicField('ann:secret'))).toBe('403');
  expect(server.events).toEqual([]);
});

test('reports consecutive logins of a connection once, and each refusal', async () => {
  const server = new Server({ schemes: [basic()] });
  await server.get(basicField('ann:secret'));
  await server.get(basicField('ann:secret'));
  await server.get(basicField('ann:wrong'));
  await server.get(basicField('test:123£'));
  expect(server.events).toMatchObject([
    { kind: 'authenticated', mechanism: 'Basic', avatarId: 'ann' },
    { kind: 'login-refused', mechanism: 'Basic', reply: '401 Unauthorized' },
    { kind: 'authenticated', mechanism: 'Basic', avatarId: 'test' },
  ]);
});
