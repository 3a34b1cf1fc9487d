import { UnauthorizedLogin } from '@postern/cred';
import { decodeUtf8, encodeUtf8, NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { BearerToken, orSayError, sayError, type TokenStatus } from '../oauthbearer/credentials.ts';
import { parseXOAuth2, tokenFault } from '../oauthbearer/messages.ts';
import { preparedName } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';

/** The parts of the error challenge of XOAUTH2. */
export interface XOAuth2Options {
  /** The scope that a token needs, for a client whose token is refused. Default: absent. */
  readonly scope?: string;
}

/**
 * Returns the challenger of XOAUTH2, Google's predecessor of OAUTHBEARER: an OAuth 2.0 bearer
 * token, and the user whose mailbox the client wants.
 */
export function xoauth2({ scope }: XOAuth2Options = {}): Challenger<BearerToken> {
  const errorChallenge = (status: TokenStatus): Uint8Array =>
    encodeUtf8(JSON.stringify({ status: HTTP_STATUS[status], schemes: 'bearer', scope }));
  return {
    mechanism: 'XOAUTH2',
    credentials: BearerToken,
    exposesSecret: true,
    strength: STRENGTH.token,
    async challenge(ask, initialResponse) {
      const sendError = (status: TokenStatus): Promise<void> => sayError(ask, errorChallenge(status));
      const request = parseXOAuth2(decodeUtf8(initialResponse ?? (await ask(NO_BYTES))) ?? '');
      if (request === undefined) {
        await sendError('invalid_request');
        throw new MalformedResponse('not an XOAUTH2 message');
      }
      const fault = tokenFault(request.token);
      if (fault !== undefined) {
        await sendError('invalid_token');
        throw new UnauthorizedLogin(fault);
      }
      const authzid = await orSayError(sendError, () => preparedName(request.authzid ?? '', 'user'));
      return new BearerToken(request.token, { authzid, sayError: sendError });
    },
  };
}

/** The HTTP status codes of the errors (RFC 6750 §3.1). */
const HTTP_STATUS: Readonly<Record<TokenStatus, string>> = {
  invalid_request: '400',
  invalid_token: '401',
  insufficient_scope: '403',
};
