import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Login } from '@postern/cred';
import type { ProxyOptions } from '../node/forwarded-client.ts';
import type { HttpAuthenticator } from '../node/http-authenticator.ts';
import { nodeLogin } from '../node/node-login.ts';

/** The part of Fastify's request that the hook reads. */
interface RawRequest {
  readonly raw: IncomingMessage;
}

/** The part of Fastify's reply that the hook uses. */
interface RawReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/** A hook of Fastify that lets logged-in clients pass. */
export interface FastifyLogin<A> {
  (request: RawRequest, reply: RawReply): Promise<void>;
  /**
   * Returns the login of a request behind the hook.
   *
   * @throws TypeError for a request that has not passed it.
   */
  loginOf(request: RawRequest): Login<A>;
}

/**
 * Returns a hook for Fastify 5: `onRequest` or `preHandler`, of a server or of a route. It answers
 * refused clients itself, without Fastify's `onSend`. An error of the authenticator reaches
 * Fastify's error handler. A login ends when the response closes.
 *
 * @example
 * ```ts
 * import type { Identity } from '@postern/cred';
 * import { fastifyLogin } from '@postern/http/fastify';
 * import type { HttpAuthenticator } from '@postern/http/node';
 * import fastify from 'fastify';
 *
 * declare const authenticator: HttpAuthenticator<Identity>;
 * const requireLogin = fastifyLogin(authenticator);
 * const app = fastify();
 * app.addHook('onRequest', requireLogin);
 * app.get('/', async (request) => `hello, ${requireLogin.loginOf(request).avatar.username}`);
 * ```
 */
export function fastifyLogin<A>(authenticator: HttpAuthenticator<A>, options?: ProxyOptions): FastifyLogin<A> {
  const logIn = nodeLogin(authenticator, options);
  const logins = new WeakMap<IncomingMessage, Login<A>>();
  const hook = async ({ raw }: RawRequest, reply: RawReply): Promise<void> => {
    const login = await logIn(raw, reply.raw);
    if (login === undefined) reply.hijack();
    else logins.set(raw, login);
  };
  const loginOf = ({ raw }: RawRequest): Login<A> => {
    const login = logins.get(raw);
    if (login === undefined) throw new TypeError('the request has not passed the hook of fastifyLogin');
    return login;
  };
  return Object.assign(hook, { loginOf });
}
