import type { IncomingMessage } from 'node:http';
import { Warnings } from '@postern/conversation';
import { type Clock, parseAddress, systemClock } from '@postern/core';
import { ANONYMOUS } from '@postern/cred';
import { EventReporter, reportError } from '@postern/sasl-profile';
import type { RefusalStatus } from '../error-replies.ts';
import type { HttpAuthEvent, HttpAuthListener } from '../events.ts';
import { type ConnectionInfo, connectionOf } from '../node/connection-info.ts';
import { FORWARDED_TLS, type ForwardedClient } from '../node/forwarded-client.ts';
import type { HttpAuthenticator } from '../node/http-authenticator.ts';
import { addFields } from '../node/log-in-request.ts';
import { rawField } from '../node/raw-field.ts';
import { RequestMind } from '../node/request-mind.ts';
import type { HttpHandler } from '../over-conversation/http-protocol.ts';
import type { HeaderField } from '../request-info.ts';
import { SharedSecret } from './shared-secret.ts';

/** The options of {@link nginxRequestHandler}. */
export interface NginxRequestOptions {
  /**
   * True takes the client's address from `X-Real-IP`, and its TLS from `X-Forwarded-Proto`. Only
   * nginx may reach the handler then: set `secret` where others can. Default: false.
   */
  readonly trustRealIp?: boolean;
  /**
   * The value of `X-Auth-Key` in nginx's requests (`proxy_set_header X-Auth-Key …`). A request
   * without it is refused, so that only nginx can try passwords here. Default: none is needed.
   */
  readonly secret?: string;
  /**
   * Gets the errors of this handler, for a log; `httpAuth` reports the logins. Default: errors
   * become warnings of the process.
   */
  readonly onEvent?: HttpAuthListener;
  /** Measures the time between two reports. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Returns the auth server of nginx's `auth_request`, as a handler of `node:http`. It answers 200
 * with `X-Auth-User`, the user's name percent-encoded, or 401, 403 or 503: nginx takes other codes
 * as errors of this server. Digest signs the client's own method and target, so nginx passes both
 * on. The login ends with the answer.
 *
 * nginx 1.22 passes on the first WWW-Authenticate line alone. That line is the challenge of the
 * scheme that the client has used, else Basic, else Digest, which browsers know.
 *
 * nginx's connection decides whether Basic and Bearer are offered. `X-Forwarded-Proto: http` of a
 * trusted nginx withholds them from a client on another machine.
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
 *   proxy_set_header        X-Forwarded-Proto $scheme;
 *   proxy_set_header        X-Auth-Key        s3cret;
 * }
 * ```
 *
 * @throws TypeError for an empty secret.
 */
export function nginxRequestHandler(
  authenticate: HttpAuthenticator<object>,
  options: NginxRequestOptions = {},
): HttpHandler {
  const { clock = systemClock, trustRealIp = false } = options;
  const events = new EventReporter<HttpAuthEvent>(options.onEvent, new Warnings(clock), 'nginxRequestHandler');
  const secret = options.secret === undefined ? undefined : new SharedSecret(options.secret, events, 'request', clock);
  return async (request, response) => {
    // nginx sends no body. The server stops others at its limit.
    request.resume();
    const peer = connectionOf(request.socket);
    const mindOf = () => new RequestMind(peer, { remote: peer.remote, tls: undefined }, response);
    if (secret !== undefined && !secret.admits(rawField(request, 'x-auth-key'), mindOf)) {
      response.writeHead(403).end();
      return;
    }
    const fields = fieldsOf(request);
    if (fields === undefined) {
      response.writeHead(400).end();
      return;
    }
    const client = trustRealIp ? trustedClient(peer, fields) : { remote: peer.remote, tls: undefined };
    const connection = trustRealIp && fields.scheme === 'http' ? client : peer;
    const mind = new RequestMind(peer, client, response);
    const { authorization, method, target } = fields;
    const outcome = await authenticate({ method, target, authorization, mind, connection });
    if (outcome.login === undefined) {
      addFields(response, orderForNginx(outcome.headers, authorization));
      response.writeHead(statusForNginx(outcome.status)).end();
      return;
    }
    if (outcome.headers !== undefined) addFields(response, outcome.headers);
    const { avatarId } = outcome.login;
    try {
      await outcome.login.logout();
    } catch (error) {
      // A logout that fails changes no outcome.
      reportError(events, mind, 'request', error);
    }
    if (avatarId !== ANONYMOUS) response.setHeader('X-Auth-User', encodeURIComponent(avatarId));
    response.writeHead(200).end();
  };
}

/** The fields of nginx's request, and Authorization, which is the client's. */
interface NginxFields {
  readonly authorization: string | readonly string[] | undefined;
  readonly method: string;
  readonly target: string;
  readonly realIp: string;
  /** `http` or `https`, in lower case. */
  readonly scheme: string | undefined;
}

/** Returns undefined if a field of nginx occurs twice: two programs would read it in two ways. */
function fieldsOf(request: IncomingMessage): NginxFields | undefined {
  const method = rawField(request, 'x-original-method') ?? 'GET';
  const target = rawField(request, 'x-original-uri') ?? '/';
  const realIp = rawField(request, 'x-real-ip') ?? '';
  const scheme = rawField(request, 'x-forwarded-proto') ?? '';
  if (!isText(method) || !isText(target) || !isText(realIp) || !isText(scheme)) return undefined;
  const authorization = rawField(request, 'authorization');
  return { authorization, method, target, realIp, scheme: scheme === '' ? undefined : scheme.toLowerCase() };
}

function isText(value: string | readonly string[]): value is string {
  return typeof value === 'string';
}

function trustedClient({ remote }: ConnectionInfo, { realIp, scheme }: NginxFields): ForwardedClient {
  return { remote: parseAddress(realIp, undefined) ?? remote, tls: scheme === 'https' ? FORWARDED_TLS : undefined };
}

/**
 * Moves the challenge that most clients can answer to the front. A client that has used a scheme
 * needs the challenge of this scheme, such as the next nonce of Digest.
 */
function orderForNginx(
  fields: readonly HeaderField[],
  authorization: string | readonly string[] | undefined,
): readonly HeaderField[] {
  if (fields.length < 2) return fields;
  const used = typeof authorization === 'string' ? schemeOf(authorization) : undefined;
  const rank = ([name, value]: HeaderField): number => {
    if (name !== 'WWW-Authenticate') return BROWSER_SCHEMES.length;
    const scheme = schemeOf(value);
    if (scheme === used) return -1;
    const index = BROWSER_SCHEMES.indexOf(scheme);
    return index < 0 ? BROWSER_SCHEMES.length : index;
  };
  return fields.toSorted((one, other) => rank(one) - rank(other));
}

/** Returns the name of the scheme of credentials or of a challenge, in lower case. */
function schemeOf(text: string): string {
  return (text.split(' ', 1)[0] ?? '').toLowerCase();
}

/** nginx answers the client with 500 after each other status than 2xx, 401 and 403. */
function statusForNginx(status: RefusalStatus): 401 | 403 | 503 {
  return status === 401 || status === 503 ? status : 403;
}

/** The schemes that browsers know, in the order of the challenges. */
const BROWSER_SCHEMES: readonly string[] = ['basic', 'digest'];
