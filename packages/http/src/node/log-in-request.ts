import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, type MaybePromise, settled } from '@postern/core';
import type { Login, LogoutReason } from '@postern/cred';
import type { ProxyOptions } from './forwarded-client.ts';
import type { HttpAuthenticator, HttpOutcome } from './http-authenticator.ts';
import { rawField } from './raw-field.ts';
import { mindOf } from './request-mind.ts';

/**
 * Authenticates a request of `node:http`, and adds the fields of the outcome to the response. A
 * login ends when the response closes, also if the client disconnects. Synchronous as long as the
 * authenticator is.
 *
 * @throws any error of the authenticator, thrown or as a rejection.
 */
export function logInRequest<A>(
  authenticate: HttpAuthenticator<A>,
  request: IncomingMessage,
  response: ServerResponse,
  options: ProxyOptions,
): MaybePromise<HttpOutcome<A>> {
  const { method = 'GET' } = request;
  const authorization = rawField(request, 'authorization');
  const mind = mindOf(request, response, options);
  if (mind === undefined) return MALFORMED;
  return after(authenticate({ method, target: targetOf(request), authorization, mind }), (outcome) => {
    if (outcome.login !== undefined) logoutAtEnd(outcome.login, response);
    if (outcome.headers !== undefined) addFields(response, outcome.headers);
    return outcome;
  });
}

/** Adds a line to the response for each field. */
export function addFields(response: ServerResponse, fields: NonNullable<HttpOutcome<unknown>['headers']>): void {
  for (const [name, value] of fields) response.appendHeader(name, value);
}

/** Calls `logout` once the response has closed. */
export function logoutAtEnd(login: Login<unknown>, response: ServerResponse): void {
  const logout = (): void => {
    const reason = response.writableFinished ? 'quit' : 'disconnected';
    void logOut(login, reason);
  };
  if (response.closed || response.destroyed) logout();
  else response.once('close', logout);
}

/** Ends a login. An error of the logout becomes a warning: no client is left to hear of it. */
export function logOut(login: Login<unknown>, reason?: LogoutReason): MaybePromise<void> {
  return settled(() => login.logout(reason), nothing, warn);
}

/** Express cuts the mount path off `url`. */
function targetOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? '/';
}

/** The refusal of a request whose client no proxy describes. */
export const MALFORMED = { status: 400, headers: [] } as const;

function nothing(): void {}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
