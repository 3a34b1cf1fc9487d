import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MaybePromise, settled } from '@postern/core';
import type { Login } from '@postern/cred';
import type { ProxyOptions } from '../node/forwarded-client.ts';
import type { HttpAuthenticator } from '../node/http-authenticator.ts';
import { nodeLogin } from '../node/node-login.ts';

/** A middleware of Express that lets logged-in clients pass. */
export interface ExpressLogin<A> {
  (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void): MaybePromise<void>;
  /**
   * Returns the login of a request behind the middleware.
   *
   * @throws TypeError for a request that has not passed it.
   */
  loginOf(request: IncomingMessage): Login<A>;
}

/**
 * Returns a middleware for Express 5 and for other servers of the same shape. It answers refused
 * clients, and passes errors of the authenticator to Express's error handlers. A login ends when
 * the response closes.
 *
 * @example
 * ```ts
 * import type { Identity } from '@postern/cred';
 * import { expressLogin } from '@postern/http/express';
 * import type { HttpAuthenticator } from '@postern/http/node';
 * import express from 'express';
 *
 * declare const authenticator: HttpAuthenticator<Identity>;
 * const requireLogin = expressLogin(authenticator);
 * const app = express();
 * app.get('/', requireLogin, (request, response) => {
 *   response.send(`hello, ${requireLogin.loginOf(request).avatar.username}`);
 * });
 * ```
 */
export function expressLogin<A>(authenticator: HttpAuthenticator<A>, options?: ProxyOptions): ExpressLogin<A> {
  const logIn = nodeLogin(authenticator, options);
  const logins = new WeakMap<IncomingMessage, Login<A>>();
  const middleware = (
    request: IncomingMessage,
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): MaybePromise<void> =>
    settled(
      () => logIn(request, response),
      (login) => {
        if (login === undefined) return;
        logins.set(request, login);
        next();
      },
      next,
    );
  const loginOf = (request: IncomingMessage): Login<A> => {
    const login = logins.get(request);
    if (login === undefined) throw new TypeError('the request has not passed the middleware of expressLogin');
    return login;
  };
  return Object.assign(middleware, { loginOf });
}
