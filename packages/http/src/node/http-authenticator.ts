import type { MaybePromise } from '@postern/core';
import type { Login } from '@postern/cred';
import type { RefusalStatus } from '../error-replies.ts';
import type { HeaderField, HttpRequestInfo } from '../request-info.ts';

/** A login with fields for the response, or a refusal with its status and fields. */
export type HttpOutcome<A> =
  | { readonly login: Login<A>; readonly headers?: readonly HeaderField[] }
  | { readonly login?: undefined; readonly status: RefusalStatus; readonly headers: readonly HeaderField[] };

/**
 * Authenticates a request through a portal, as `authenticate` of `httpAuth` does. An error that it
 * throws or rejects with is this server's.
 */
export type HttpAuthenticator<A> = (request: HttpRequestInfo) => MaybePromise<HttpOutcome<A>>;
