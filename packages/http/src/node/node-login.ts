import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, type MaybePromise } from '@postern/core';
import type { Login } from '@postern/cred';
import type { ProxyOptions } from './forwarded-client.ts';
import type { HttpAuthenticator } from './http-authenticator.ts';
import { logInRequest } from './log-in-request.ts';

/**
 * Returns a function that logs the client of a request of `node:http` in. The function returns the
 * login, whose fields the response then has, and which ends when the response closes. It returns
 * undefined after it has refused the client. It throws or rejects with an error of the
 * authenticator, and returns a promise only if the authenticator does.
 *
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from 'node:http';
 * import type { Identity } from '@postern/cred';
 * import { type HttpAuthenticator, nodeLogin } from '@postern/http/node';
 *
 * declare const authenticator: HttpAuthenticator<Identity>;
 * const logIn = nodeLogin(authenticator);
 *
 * export async function handler(request: IncomingMessage, response: ServerResponse) {
 *   const login = await logIn(request, response);
 *   if (login !== undefined) response.end(`hello, ${login.avatar.username}`);
 * }
 * ```
 */
export function nodeLogin<A>(
  authenticator: HttpAuthenticator<A>,
  options: ProxyOptions = {},
): (request: IncomingMessage, response: ServerResponse) => MaybePromise<Login<A> | undefined> {
  return (request, response) =>
    after(logInRequest(authenticator, request, response, options), (outcome) => {
      if (outcome.login === undefined) response.writeHead(outcome.status).end();
      return outcome.login;
    });
}
