import { Identity } from '@postern/cred';
import { httpAuth } from '@postern/http';
import { expect, test } from 'vitest';
import { basicField, Server } from './server.ts';

const here = { family: 'IPv4', address: '127.0.0.1', port: 8080 } as const;
const client = { remote: here, local: here };

test('logs the client of a Request in', async () => {
  const { portal } = new Server();
  const auth = httpAuth({ portal, avatar: Identity, realm: 'example.com' });
  const request = new Request('http://localhost/', { headers: { authorization: basicField('ann:secret') } });
  const granted = await auth.login(request, client);
  if (granted instanceof Response) throw new Error('expected a login');
  await using login = granted;
  expect(login.login.avatar.username).toBe('ann');
  expect(portal.openLogins).toBe(1);
});

test('answers a Request without credentials with one line for each challenge', async () => {
  const { auth } = new Server();
  const response = await auth.login(new Request('http://localhost/'), client);
  if (!(response instanceof Response)) throw new Error('expected a Response');
  expect(response.status).toBe(401);
  expect(await response.text()).toBe('401 Unauthorized\n');
  const lines = [...response.headers].filter(([name]) => name === 'www-authenticate');
  expect(lines.map(([, value]) => value).join()).toContain('Basic realm="example.com"');
});

test('answers HEAD without a body', async () => {
  const { auth } = new Server();
  const response = await auth.login(new Request('http://localhost/', { method: 'HEAD' }), client);
  expect(response instanceof Response && response.body).toBe(null);
});

test('puts the user name of a refused login into its event on request', async () => {
  const server = new Server({ logUsernames: true, reportEachLogin: true });
  await server.get(basicField('ann:wrong'));
  await server.get(basicField('ann:secret'));
  await server.get(basicField('ann:secret'));
  expect(server.events).toMatchObject([
    { kind: 'login-refused', username: 'ann' },
    { kind: 'authenticated' },
    { kind: 'authenticated' },
  ]);
});
