import { type Mind, UnauthorizedLogin } from '@postern/cred';
import { decodeUtf8, encodeUtf8, NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedAuthzid } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { BearerToken, orSayError, sayError, type TokenStatus } from './credentials.ts';
import { parseOAuthBearer, type TokenRequest, whyNoToken } from './messages.ts';

/** What a server says of itself in OAUTHBEARER, and which clients it takes for its own. */
export interface OAuthBearerOptions {
  /** The scope that a token needs, told to a client whose token is refused. Default: none is told. */
  readonly scope?: string;
  /** Where the authorization server describes itself: an `https` URL, told to a client whose token is refused. */
  readonly openidConfiguration?: string;
  /** The names of this host: a client that says it connected to another is refused. Default: the one that it named in TLS (SNI). */
  readonly hosts?: readonly string[];
  /** The ports of this service, as clients see them: a client that says it connected to another is refused. Default: any. */
  readonly ports?: readonly number[];
}

/** OAUTHBEARER (RFC 7628): an OAuth 2.0 bearer token; who has it, has the user's rights. */
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
      if (!isMeant(request, mind, options)) {
        await sendError('invalid_request');
        throw new UnauthorizedLogin('the client means another host or port');
      }
      const { token, host, port } = request;
      const why = whyNoToken(token);
      if (why !== undefined) {
        await sendError('invalid_token');
        throw new UnauthorizedLogin(why);
      }
      const authzid = await orSayError(sendError, () => preparedAuthzid(request.authzid ?? ''));
      return new BearerToken(token, { authzid, host, port, sayError: sendError });
    },
  };
}

/** What a client says of where it connected to must be true, as far as we know what is (RFC 7628 §3.2). */
function isMeant({ host, port }: TokenRequest, { tls }: Mind, { hosts, ports }: OAuthBearerOptions): boolean {
  const names = hosts ?? (tls?.serverName === undefined ? undefined : [tls.serverName]);
  if (host !== undefined && names !== undefined && !names.some((name) => name.toLowerCase() === host.toLowerCase())) {
    return false;
  }
  return port === undefined || ports === undefined || ports.includes(port);
}
