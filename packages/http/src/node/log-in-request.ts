import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Login } from '@postern/cred';
import type { HttpAuthenticator, HttpFields, HttpOutcome } from './http-authenticator.ts';
import { RequestMind, type RequestMindOptions } from './request-mind.ts';

/**
 * Authenticates a request of `node:http`, and adds the fields of the outcome to the response. A
 * login ends when the response closes, also if the client disconnects.
 *
 * @throws any error of the authenticator, as a rejection.
 */
export async function logInRequest<A>(
  authenticate: HttpAuthenticator<A>,
  request: IncomingMessage,
  response: ServerResponse,
  options?: RequestMindOptions,
): Promise<HttpOutcome<A>> {
  const { method = 'GET', headers } = request;
  const { authorization } = headers;
  const mind = new RequestMind(request, response, options);
  const outcome = await authenticate({ method, target: targetOf(request), authorization, mind });
  if (outcome.login !== undefined) logoutAtEnd(outcome.login, response);
  for (const [name, value] of outcome.headers ?? NO_FIELDS) response.appendHeader(name, value);
  return outcome;
}

/** Calls `logout` once the response has closed. */
export function logoutAtEnd(login: Login<unknown>, response: ServerResponse): void {
  const logout = (): void => {
    const reason = response.writableFinished ? 'quit' : 'disconnected';
    // An error of a logout has no client that could hear of it.
    Promise.resolve(login.logout(reason)).catch((error: unknown) => process.emitWarning(error as Error));
  };
  if (response.closed || response.destroyed) logout();
  else response.once('close', logout);
}

/** Express cuts the mount path off `url`. */
function targetOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '/';
}

const NO_FIELDS: HttpFields = [];
