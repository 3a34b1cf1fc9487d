import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import {
  type AvatarId,
  Identity,
  InMemoryUsernamePasswordDatabaseDontUse,
  identityOf,
  type Login,
  type LogoutReason,
  type Mind,
  Portal,
  type Realm,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { basic, httpAuth } from '@postern/http';
import { expressLogin } from '@postern/http/express';
import { fastifyLogin } from '@postern/http/fastify';
import { honoLogin } from '@postern/http/hono';
import { nginxRequestHandler } from '@postern/http/nginx';
import { type HttpHandler, nodeLogin, type ProxyOptions } from '@postern/http/node';
import { portalFor, testMind } from '@postern/testing';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { type Authenticator, listenOn, pageServers } from './page-servers.ts';
import { basicField } from './server.ts';

describe.each(Object.entries(pageServers))('the adapter for %s', (_name, handlerFor) => {
  it('passes the login to the handler, and ends it with the response', async () => {
    const { ask, loggedOut, minds } = await serve(handlerFor);
    const response = await ask('/', { authorization: basicField('joe:secret'), 'x-forwarded-for': '192.0.2.7' });
    expect(response).toMatchObject({ status: 200, text: 'joe', fields: [['Authentication-Info', 'x=1']] });
    expect(await loggedOut).toBe('quit');
    expect(minds[0]).toMatchObject({ protocol: 'http', remote: { address: '192.0.2.7' }, tls: undefined });
  });

  it('refuses a client with one line for each challenge', async () => {
    const { ask } = await serve(handlerFor);
    expect(await ask('/', {})).toMatchObject({
      status: 401,
      fields: [
        ['WWW-Authenticate', 'Basic realm="a"'],
        ['WWW-Authenticate', 'Bearer realm="a"'],
      ],
    });
  });

  it('passes each line of Authorization on', async () => {
    const requests: unknown[] = [];
    const { ask } = await listenOn(
      await handlerFor(({ authorization }) => {
        requests.push(authorization);
        return { status: 400, headers: [] };
      }),
    );
    const lines = [basicField('joe:secret'), basicField('ann:secret')];
    expect(await ask('/', { authorization: lines })).toMatchObject({ status: 400 });
    expect(requests).toEqual([lines]);
  });

  it('passes an error of this server to the error handler', async () => {
    const { ask } = await serve(handlerFor);
    expect(await ask('/', { authorization: 'Broken' })).toMatchObject({ status: 500, text: 'handled' });
  });

  it('ends the login of a client that ends its side before the answer', async () => {
    const { loggedIn, loggedOut, port } = await serve(handlerFor);
    const client = connect(port, '127.0.0.1');
    client.end(`GET /hang HTTP/1.1\r\nHost: x\r\nAuthorization: ${basicField('joe:secret')}\r\n\r\n`);
    client.resume();
    await loggedIn;
    expect(await loggedOut).toBe('disconnected');
  });

  it('ends the login when the client disconnects', async () => {
    const { begin, loggedIn, loggedOut } = await serve(handlerFor);
    const client = begin('/hang', { authorization: basicField('joe:secret') });
    client.on('error', () => {});
    client.end();
    await loggedIn;
    client.destroy();
    expect(await loggedOut).toBe('disconnected');
  });
});

describe('nodeLogin on httpAuth', () => {
  it('logs a client in by Basic, without a promise for users in memory', async () => {
    let isPromise: boolean | undefined;
    const { ask } = await listenOn((request, response) => {
      const login = nodeLogin(annsPage())(request, response);
      isPromise = login instanceof Promise;
      if (!(login instanceof Promise)) response.end(login?.avatar.username);
    });
    expect(await ask('/', { authorization: basicField('ann:secret') })).toMatchObject({ status: 200, text: 'ann' });
    expect(isPromise).toBe(false);
  });

  it.each([
    ['with TLS in front of a trusted proxy', { trustProxy: () => true }, 'https', 200],
    ['without TLS in front of a trusted proxy', { trustProxy: () => true }, 'http', 403],
    ['of an untrusted proxy', {}, 'https', 403],
  ])('answers Basic of a remote client %s', async (_kind, options, scheme, status) => {
    const logIn = nodeLogin(annsPage(), options);
    const { ask } = await listenOn(async (request, response) => {
      const trusted = 'trustProxy' in options;
      if (!trusted) Object.defineProperty(request.socket, 'remoteAddress', { value: '192.0.2.1' });
      response.end((await logIn(request, response))?.avatar.username);
    });
    const forwarded = { 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': scheme };
    expect(await ask('/', { authorization: basicField('ann:secret'), ...forwarded })).toMatchObject({ status });
  });

  it.each([
    [{ 'x-forwarded-for': 'garbage' }, 'x-forwarded'],
    [{ forwarded: 'for=", for=192.0.2.7' }, 'forwarded'],
  ] as const)('refuses a request with 400 if a trusted proxy sends %o', async (field, proxyFields) => {
    const logIn = nodeLogin(annsPage(), { trustProxy: () => true, proxyFields });
    const { ask } = await listenOn(async (request, response) => {
      response.end((await logIn(request, response))?.avatar.username);
    });
    expect(await ask('/', { authorization: basicField('ann:secret') })).toMatchObject({ status: 200 });
    expect(await ask('/', { authorization: basicField('ann:secret'), ...field })).toMatchObject({ status: 400 });
  });

  it('refuses two lines of Authorization with 400', async () => {
    const { ask } = await listenOn(async (request, response) => {
      response.end((await nodeLogin(annsPage())(request, response))?.avatar.username);
    });
    const line = basicField('ann:secret');
    expect(await ask('/', { authorization: [line, line] })).toMatchObject({ status: 400, text: '' });
  });
});

describe('nginxRequestHandler', () => {
  it('answers with the user, for the request that nginx has received', async () => {
    const { ask, loggedOut, minds } = await serve(async (authenticator) =>
      nginxRequestHandler(
        ({ method, target, ...rest }) => {
          expect([method, target]).toEqual(['PUT', '/a?b']);
          return authenticator({ method, target, ...rest });
        },
        { trustRealIp: true },
      ),
    );
    const original = { 'x-original-uri': '/a?b', 'x-original-method': 'PUT', 'x-real-ip': '2001:db8::7' };
    expect(await ask('/', { authorization: basicField('joe:secret'), ...original })).toMatchObject({
      status: 200,
      user: 'joe',
    });
    expect(await loggedOut).toBe('quit');
    expect(minds[0]?.remote).toMatchObject({ address: '2001:db8::7' });
    expect(await ask('/', original)).toMatchObject({ status: 401, user: undefined, fields: { length: 2 } });
  });

  it.each([
    [400, 403],
    [401, 401],
    [403, 403],
    [429, 403],
    [431, 403],
    [503, 503],
  ] as const)('answers %s with %s, since nginx knows 401 and 403 alone', async (status, answered) => {
    const { ask } = await serve(async () => nginxRequestHandler(() => ({ status, headers: [] })));
    expect(await ask('/', {})).toMatchObject({ status: answered, user: undefined });
  });
});

describe('honoLogin without node:http', () => {
  it('takes the mind of mindOf, and ends the login behind the handlers', async () => {
    const { authenticator, loggedOut } = authentication();
    const app = new Hono<{ Variables: { login: Login<Identity> } }>();
    app.use(honoLogin(authenticator, { mindOf: () => testMind({ protocol: 'http' }) }));
    app.get('/', (context) => context.text(context.var.login.avatar.username));
    const response = await app.request('/', { headers: { authorization: basicField('joe:secret') } });
    expect(await response.text()).toBe('joe');
    expect(await loggedOut).toBe('quit');
    expect((await app.request('/')).status).toBe(401);
  });

  it('fails without mindOf', async () => {
    const app = new Hono().use(honoLogin(authentication().authenticator) as never);
    app.onError((error, context) => context.text(error.message, 500));
    expect(await (await app.request('/')).text()).toMatch(/^mindOf: needed/);
  });
});

describe('loginOf', () => {
  it('throws for a request that has not passed', () => {
    const { authenticator } = authentication();
    const unknown = {} as IncomingMessage;
    expect(() => expressLogin(authenticator).loginOf(unknown)).toThrow(TypeError);
    expect(() => fastifyLogin(authenticator).loginOf({ raw: unknown })).toThrow(TypeError);
  });
});

/** Basic alone, for the user ann. */
function annsPage(): Authenticator {
  const portal = portalFor({ ann: 'secret' }, Identity, identityOf);
  const auth = httpAuth({ portal, avatar: Identity, realm: 'example.com', schemes: [basic()] });
  return (request) => auth.authenticate(request);
}

/** Basic through a portal. */
function authentication() {
  const left = Promise.withResolvers<LogoutReason>();
  const entered = Promise.withResolvers<void>();
  const minds: Mind[] = [];
  const realm: Realm = {
    requestAvatar: <A>(id: AvatarId) => ({
      avatar: new Identity(String(id)) as A,
      logout: (reason: LogoutReason) => left.resolve(reason),
    }),
  };
  const portal = new Portal(realm).register(new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'secret' }));
  const authenticator: Authenticator = async ({ authorization, mind }) => {
    minds.push(mind);
    if (authorization === 'Broken') throw new Error('a bug');
    const [name = '', password = ''] = Buffer.from(String(authorization).split(' ')[1] ?? '', 'base64')
      .toString()
      .split(':');
    try {
      const login = await portal.login(new UsernamePassword(name, password), mind, Identity);
      entered.resolve();
      return { login, headers: [['Authentication-Info', 'x=1']] };
    } catch (error) {
      if (!(error instanceof UnauthorizedLogin)) throw error;
      return {
        status: 401,
        headers: [
          ['WWW-Authenticate', 'Basic realm="a"'],
          ['WWW-Authenticate', 'Bearer realm="a"'],
        ],
      };
    }
  };
  return { authenticator, loggedIn: entered.promise, loggedOut: left.promise, minds };
}

async function serve(
  handlerFor: (authenticator: Authenticator, options: ProxyOptions) => Promise<HttpHandler>,
  options: ProxyOptions = { trustProxy: () => true },
) {
  const { authenticator, ...rest } = authentication();
  return { ...(await listenOn(await handlerFor(authenticator, options))), ...rest };
}
