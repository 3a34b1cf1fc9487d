import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Login } from '@postern/cred';
import type { HttpAuthenticator } from './http-authenticator.ts';
import { logInRequest } from './log-in-request.ts';
import type { RequestMindOptions } from './request-mind.ts';

/**
 * Returns a function that logs the client of a request of `node:http` in. The function resolves
 * with the login, whose fields the response then has, and which ends when the response closes. It
 * resolves with undefined after it has refused the client, and rejects with an error of the
 * authenticator.
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
  options?: RequestMindOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<Login<A> | undefined> {
  return async (request, response) => {
    const outcome = await logInRequest(authenticator, request, response, options);
    if (outcome.login === undefined) response.writeHead(outcome.status).end();
    return outcome.login;
  };
}
