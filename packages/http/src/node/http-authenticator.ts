import type { MaybePromise } from '@postern/core';
import type { Login, Mind } from '@postern/cred';
import type { RefusalStatus } from '../error-replies.ts';

/** The parts of a request that authentication needs. */
export interface HttpRequest {
  readonly method: string;
  /** The request target as the client sent it (RFC 9112 §3.2): Digest signs it. */
  readonly target: string;
  /** The value of the field Authorization; undefined if it is absent. */
  readonly authorization: string | undefined;
  readonly mind: Mind;
}

/** The names and values of response fields. A name may occur several times. */
export type HttpFields = Iterable<readonly [name: string, value: string]>;

/** A login with fields for the response, or a refusal with its status and fields. */
export type HttpOutcome<A> =
  | { readonly login: Login<A>; readonly headers?: HttpFields }
  | { readonly login?: undefined; readonly status: RefusalStatus; readonly headers: HttpFields };

/**
 * Authenticates a request through a portal, as `authenticate` of `httpAuth` does. An error that it
 * rejects with is this server's.
 */
export type HttpAuthenticator<A> = (request: HttpRequest) => MaybePromise<HttpOutcome<A>>;
