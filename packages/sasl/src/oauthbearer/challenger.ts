import { type Mind, UnauthorizedLogin } from '@postern/cred';
import { decodeUtf8, encodeUtf8, NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedAuthzid } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { BearerToken, orSayError, sayError, type TokenStatus } from './credentials.ts';
import { parseOAuthBearer, type TokenRequest, tokenFault } from './messages.ts';

/** The options of OAUTHBEARER on a server. */
export interface OAuthBearerOptions {
  /** The scope that a token needs, for a client whose token is refused. Default: absent. */
  readonly scope?: string;
  /**
   * The `https` URL of the authorization server's description, for a client whose token is refused.
   */
  readonly openidConfiguration?: string;
  /**
   * The names of this host. The server refuses a client that names another. Default: the name in
   * TLS (SNI).
   */
  readonly hosts?: readonly string[];
  /**
   * The ports of this service, as clients see them. The server refuses a client that names another.
   * Default: any.
   */
  readonly ports?: readonly number[];
}

/**
 * Returns the challenger of OAUTHBEARER (RFC 7628): the bearer of an OAuth 2.0 token has the user's
 * rights.
 */
export function oauthBearer(options: OAuthBearerOptions = {}): Challenger<BearerToken> {
  const errorChallenge = (status: TokenStatus): Uint8Array => {
    const { scope, openidConfiguration } = options;
    return encodeUtf8(JSON.stringify({ status, scope, 'openid-configuration': openidConfiguration }));
  };
  return {
    mechanism: 'OAUTHBEARER',
    credentials: BearerToken,
    exposesSecret: true,
    strength: STRENGTH.token + 10,
    async challenge(ask, initialResponse, mind) {
      const sendError = (status: TokenStatus): Promise<void> => sayError(ask, errorChallenge(status));
      const request = parseOAuthBearer(decodeUtf8(initialResponse ?? (await ask(NO_BYTES))) ?? '');
      if (request === undefined) {
        await sendError('invalid_request');
        throw new MalformedResponse('not an OAUTHBEARER message');
      }
      if (!isForThisServer(request, mind, options)) {
        await sendError('invalid_request');
        throw new UnauthorizedLogin('the client names another host or port');
      }
      const { token, host, port } = request;
      const fault = tokenFault(token);
      if (fault !== undefined) {
        await sendError('invalid_token');
        throw new UnauthorizedLogin(fault);
      }
      const authzid = await orSayError(sendError, () => preparedAuthzid(request.authzid ?? ''));
      return new BearerToken(token, { authzid, host, port, sayError: sendError });
    },
  };
}

/**
 * Returns true unless the client names a host or a port that is not this server's (RFC 7628 §3.2).
 */
function isForThisServer({ host, port }: TokenRequest, { tls }: Mind, { hosts, ports }: OAuthBearerOptions): boolean {
  const names = hosts ?? (tls?.serverName === undefined ? undefined : [tls.serverName]);
  if (host !== undefined && names !== undefined && !names.some((name) => name.toLowerCase() === host.toLowerCase())) {
    return false;
  }
  return port === undefined || ports === undefined || ports.includes(port);
}
