import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
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
import { httpAuth } from '@postern/http';
import { expressLogin } from '@postern/http/express';
import { fastifyLogin } from '@postern/http/fastify';
import { honoLogin } from '@postern/http/hono';
import { nginxRequestHandler } from '@postern/http/nginx';
import { type HttpAuthenticator, type HttpHandler, nodeLogin } from '@postern/http/node';
import { portalFor, testMind } from '@postern/testing';
import express, { type Request as ExpressRequest, type Response as ExpressResponse, type NextFunction } from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';

type Authenticator = HttpAuthenticator<Identity>;

/** Returns a listener whose page names the user, and hangs at `/hang`. */
const servers: Record<string, (authenticator: Authenticator) => Promise<HttpHandler>> = {
  node: async (authenticator) => {
    const logIn = nodeLogin(authenticator, { trustProxy: () => true });
    return async (req, res) => {
      try {
        const login = await logIn(req, res);
        if (login !== undefined && req.url !== '/hang') res.end(login.avatar.username);
      } catch {
        res.writeHead(500).end('handled');
      }
    };
  },
  express: async (authenticator) => {
    const requireLogin = expressLogin(authenticator, { trustProxy: () => true });
    const app = express();
    app.get('/hang', requireLogin, () => {});
    app.get('/', requireLogin, (req, res) => void res.send(requireLogin.loginOf(req).avatar.username));
    app.use((_error: unknown, _req: ExpressRequest, res: ExpressResponse, _next: NextFunction) => {
      res.status(500).send('handled');
    });
    return app;
  },
  fastify: async (authenticator) => {
    const requireLogin = fastifyLogin(authenticator, { trustProxy: () => true });
    const app = fastify();
    app.setErrorHandler((_error, _request, reply) => reply.code(500).send('handled'));
    app.addHook('onRequest', requireLogin);
    app.get('/', async (req) => requireLogin.loginOf(req).avatar.username);
    app.get('/hang', () => new Promise(() => {}));
    await app.ready();
    return (req, res) => app.routing(req, res);
  },
  hono: async (authenticator) => {
    const app = new Hono<{ Variables: { login: Login<Identity> } }>();
    app.use(honoLogin(authenticator, { trustProxy: () => true }));
    app.get('/', (context) => context.text(context.var.login.avatar.username));
    app.get('/hang', () => new Promise<Response>(() => {}));
    app.onError((_error, context) => context.text('handled', 500));
    return getRequestListener(app.fetch);
  },
};

describe.each(Object.entries(servers))('the adapter for %s', (_name, listenerFor) => {
  it('passes the login to the handler, and ends it with the response', async () => {
    const { ask, loggedOut, minds } = await serve(listenerFor);
    const response = await ask('/', { authorization: basic('joe', 'secret'), 'x-forwarded-for': '192.0.2.7' });
    expect(response).toMatchObject({ status: 200, text: 'joe', fields: [['Authentication-Info', 'x=1']] });
    expect(await loggedOut).toBe('quit');
    expect(minds[0]).toMatchObject({ protocol: 'http', remote: { address: '192.0.2.7' }, tls: undefined });
  });

  it('refuses a client with one line for each challenge', async () => {
    const { ask } = await serve(listenerFor);
    expect(await ask('/', {})).toMatchObject({
      status: 401,
      fields: [
        ['WWW-Authenticate', 'Basic realm="a"'],
        ['WWW-Authenticate', 'Bearer realm="a"'],
      ],
    });
  });

  it('passes an error of this server to the error handler', async () => {
    const { ask } = await serve(listenerFor);
    expect(await ask('/', { authorization: 'Broken' })).toMatchObject({ status: 500, text: 'handled' });
  });

  it('ends the login when the client disconnects', async () => {
    const { begin, loggedIn, loggedOut } = await serve(listenerFor);
    const client = begin('/hang', { authorization: basic('joe', 'secret') });
    client.on('error', () => {});
    client.end();
    await loggedIn;
    client.destroy();
    expect(await loggedOut).toBe('disconnected');
  });
});

describe('the adapters on httpAuth', () => {
  it('logs a client in by Basic through node:http', async () => {
    const portal = portalFor({ ann: 'secret' }, Identity, identityOf);
    const auth = httpAuth({ portal, avatar: Identity, realm: 'example.com' });
    const { ask } = await serve(async () => {
      const logIn = nodeLogin((info) => auth.authenticate(info));
      return async (req, res) => res.end((await logIn(req, res))?.avatar.username);
    });
    expect(await ask('/', { authorization: basic('ann', 'secret') })).toMatchObject({ status: 200, text: 'ann' });
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
    expect(await ask('/', { authorization: basic('joe', 'secret'), ...original })).toMatchObject({
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
    const response = await app.request('/', { headers: { authorization: basic('joe', 'secret') } });
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
    const [name = '', password = ''] = Buffer.from(authorization?.split(' ')[1] ?? '', 'base64')
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

async function serve(listenerFor: (authenticator: Authenticator) => Promise<HttpHandler>) {
  const { authenticator, ...rest } = authentication();
  const handler = await listenerFor(authenticator);
  const server = createServer((req, res) => void handler(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const begin = (path: string, headers: Record<string, string>) =>
    request({ port, host: '127.0.0.1', path, headers, agent: false });
  const ask = async (path: string, headers: Record<string, string>) => {
    const [response] = (await once(begin(path, headers).end(), 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return {
      status: response.statusCode,
      text,
      user: response.headers['x-auth-user'],
      fields: authenticationFields(response),
    };
  };
  return { ask, begin, ...rest };
}

function authenticationFields({ rawHeaders }: IncomingMessage): string[][] {
  const pairs = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : []));
  return pairs
    .filter(([name]) => /authenticat/i.test(name ?? ''))
    .map(([name = '', value = '']) => [canonical(name), value]);
}

/** Hono and Fastify write names in lower case. */
function canonical(name: string): string {
  return /^www/i.test(name) ? 'WWW-Authenticate' : 'Authentication-Info';
}

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}
