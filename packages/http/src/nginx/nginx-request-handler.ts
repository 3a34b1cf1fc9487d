import type { IncomingMessage } from 'node:http';
import { type Address, parseAddress } from '@postern/core';
import { ANONYMOUS, DelegatingMind, type Mind } from '@postern/cred';
import type { RefusalStatus } from '../error-replies.ts';
import type { HttpAuthenticator } from '../node/http-authenticator.ts';
import { RequestMind } from '../node/request-mind.ts';
import type { HttpHandler } from '../over-conversation/http-protocol.ts';

/** The options of {@link nginxRequestHandler}. */
export interface NginxRequestOptions {
  /** True takes the client's address from `X-Real-IP`. Only nginx may reach the handler then. */
  readonly trustRealIp?: boolean;
}

/**
 * Returns the auth server of nginx's `auth_request`, as a handler of `node:http`. It answers 200
 * with `X-Auth-User`, the user's name percent-encoded, or 401, 403 or 503. Digest signs the
 * client's own method and target, so nginx passes both on. The login ends with the answer.
 *
 * ```text
 * location / {
 *   auth_request     /auth;
 *   auth_request_set $user $upstream_http_x_auth_user;
 * }
 * location = /auth {
 *   internal;
 *   proxy_pass              http://127.0.0.1:9000/nginx/request;
 *   proxy_pass_request_body off;
 *   proxy_set_header        Content-Length    "";
 *   proxy_set_header        X-Original-URI    $request_uri;
 *   proxy_set_header        X-Original-Method $request_method;
 *   proxy_set_header        X-Real-IP         $remote_addr;
 * }
 * ```
 */
export function nginxRequestHandler(
  authenticate: HttpAuthenticator<object>,
  { trustRealIp = false }: NginxRequestOptions = {},
): HttpHandler {
  return async (request, response) => {
    // nginx sends no body. The server stops others at its limit.
    request.resume();
    const { authorization } = request.headers;
    const method = field(request, 'x-original-method') ?? 'GET';
    const target = field(request, 'x-original-uri') ?? '/';
    const client = trustRealIp ? parseAddress(field(request, 'x-real-ip') ?? '', undefined) : undefined;
    const mind = new NginxMind(new RequestMind(request, response), client);
    const outcome = await authenticate({ method, target, authorization, mind });
    for (const [name, value] of outcome.headers ?? []) response.appendHeader(name, value);
    if (outcome.login === undefined) {
      response.writeHead(statusForNginx(outcome.status)).end();
      return;
    }
    const { avatarId } = outcome.login;
    await outcome.login.logout();
    if (avatarId !== ANONYMOUS) response.setHeader('X-Auth-User', encodeURIComponent(avatarId));
    response.writeHead(200).end();
  };
}

/** nginx answers the client with 500 after each other status than 2xx, 401 and 403. */
function statusForNginx(status: RefusalStatus): 401 | 403 | 503 {
  return status === 401 || status === 503 ? status : 403;
}

/** The mind of nginx's client. */
class NginxMind extends DelegatingMind {
  readonly #client: Address | undefined;
  /** A connection of nginx carries the requests of many clients. */
  readonly #store = new Map<symbol, unknown>();

  constructor(mind: Mind, client: Address | undefined) {
    super(mind);
    this.#client = client;
  }

  override get remote(): Address {
    return this.#client ?? super.remote;
  }

  override get store(): Map<symbol, unknown> {
    return this.#store;
  }
}

function field(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
