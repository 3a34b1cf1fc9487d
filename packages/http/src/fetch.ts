import type { Address, TlsInfo } from '@postern/core';
import type { Mind } from '@postern/cred';
import { REASON_PHRASES } from './error-replies.ts';
import type { Refused } from './outcome.ts';
import type { HttpRequestInfo } from './request-info.ts';

/** The connection of a fetch-style `Request`, which knows neither addresses nor TLS. */
export interface ClientInfo {
  /** The client's address. */
  readonly remote: Address;
  /** The address that the client connected to. */
  readonly local: Address;
  /** The TLS of the connection, as the server itself sees it. Default: none. */
  readonly tls?: TlsInfo | undefined;
  /** Lasts as long as the connection. Default: a new one for each request. */
  readonly store?: Map<symbol, unknown> | undefined;
}

/** Returns the parts of a request that authentication reads. */
export function requestInfo(request: Request, client: ClientInfo): HttpRequestInfo {
  const { pathname, search } = new URL(request.url);
  const authorization = request.headers.get('authorization') ?? undefined;
  return { method: request.method, target: pathname + search, authorization, mind: mindOf(request, client) };
}

/** Returns the response to a client that is not logged in. */
export function refusalResponse({ status, headers }: Refused, method: string): Response {
  const reason = REASON_PHRASES[status];
  const response = new Response(method === 'HEAD' ? null : `${status} ${reason}\n`, { status, statusText: reason });
  response.headers.set('Content-Type', 'text/plain; charset=utf-8');
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

function mindOf({ signal }: Request, { remote, local, tls, store = new Map() }: ClientInfo): Mind {
  return { protocol: 'http', remote, local, tls, clientName: undefined, signal, store };
}
