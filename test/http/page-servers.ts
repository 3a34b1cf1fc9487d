import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Identity, Login } from '@postern/cred';
import { expressLogin } from '@postern/http/express';
import { fastifyLogin } from '@postern/http/fastify';
import { honoLogin } from '@postern/http/hono';
import { type HttpAuthenticator, type HttpHandler, nodeLogin, type ProxyOptions } from '@postern/http/node';
import express, { type Request as ExpressRequest, type Response as ExpressResponse, type NextFunction } from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { onTestFinished } from 'vitest';

export type Authenticator = HttpAuthenticator<Identity>;

/** Returns a handler of `node:http` for the page. */
type PageServer = (authenticator: Authenticator, options?: ProxyOptions) => Promise<HttpHandler>;

/** The servers of a page that names the user, and hangs at `/hang`. */
export const pageServers: Record<string, PageServer> = {
  node: async (authenticator, options) => {
    const logIn = nodeLogin(authenticator, options);
    return async (req, res) => {
      try {
        const login = await logIn(req, res);
        if (login !== undefined && req.url !== '/hang') res.end(login.avatar.username);
      } catch {
        res.writeHead(500).end('handled');
      }
    };
  },
  express: async (authenticator, options) => {
    const requireLogin = expressLogin(authenticator, options);
    const app = express();
    app.get('/hang', requireLogin, () => {});
    app.get('/', requireLogin, (req, res) => void res.send(requireLogin.loginOf(req).avatar.username));
    app.use((_error: unknown, _req: ExpressRequest, res: ExpressResponse, _next: NextFunction) => {
      res.status(500).send('handled');
    });
    return app;
  },
  fastify: async (authenticator, options) => {
    const requireLogin = fastifyLogin(authenticator, options);
    const app = fastify();
    app.setErrorHandler((_error, _request, reply) => reply.code(500).send('handled'));
    app.addHook('onRequest', requireLogin);
    app.get('/', async (req) => requireLogin.loginOf(req).avatar.username);
    app.get('/hang', () => new Promise(() => {}));
    await app.ready();
    return (req, res) => app.routing(req, res);
  },
  hono: async (authenticator, options) => {
    const app = new Hono<{ Variables: { login: Login<Identity> } }>();
    app.use(honoLogin(authenticator, options));
    app.get('/', (context) => context.text(context.var.login.avatar.username));
    app.get('/hang', () => new Promise<Response>(() => {}));
    app.onError((_error, context) => context.text('handled', 500));
    return getRequestListener(app.fetch);
  },
};

/** Serves a handler until the test ends. */
export async function listenOn(handler: HttpHandler) {
  const server = createServer((req, res) => void handler(req, res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    begin: (path: string, headers: Headers) => begin(port, path, headers),
    ask: (path: string, headers: Headers) => ask(port, path, headers),
  };
}

function begin(port: number, path: string, headers: Headers) {
  return request({ port, host: '127.0.0.1', path, headers, agent: false });
}

/** Resolves with the answer to a GET request. */
export async function ask(port: number, path: string, headers: Headers) {
  const [response] = (await once(begin(port, path, headers).end(), 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return {
    status: response.statusCode,
    text,
    user: response.headers['x-auth-user'],
    fields: authenticationFields(response),
  };
}

/** The fields of a request. A list is a line for each value. */
type Headers = Record<string, string | string[]>;

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
