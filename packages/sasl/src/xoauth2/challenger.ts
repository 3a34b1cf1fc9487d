import { UnauthorizedLogin } from '@postern/cred';
import { decodeUtf8, encodeUtf8, NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { BearerToken, orSayError, sayError, type TokenStatus } from '../oauthbearer/credentials.ts';
import { parseXOAuth2, whyNoToken } from '../oauthbearer/messages.ts';
import { preparedName } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';

/** What a server says of itself in XOAUTH2. */
export interface XOAuth2Options {
  /** The scope that a token needs, told to a client whose token is refused. Default: none is told. */
  readonly scope?: string;
}

/** XOAUTH2, as Google made it before there was OAUTHBEARER: an OAuth 2.0 bearer token, and whose it is. */
export function xoauth2({ scope }: XOAuth2Options = {}): Challenger<BearerToken> {
  const errorChallenge = (status: TokenStatus): Uint8Array =>
    encodeUtf8(JSON.stringify({ status: STATUS[status], schemes: 'bearer', scope }));
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
      const why = whyNoToken(request.token);
      if (why !== undefined) {
        await sendError('invalid_token');
        throw new UnauthorizedLogin(why);
      }
      const authzid = await orSayError(sendError, () => preparedName(request.authzid ?? '', 'user'));
      return new BearerToken(request.token, { authzid, sayError: sendError });
    },
  };
}

/** HTTP has these codes for them (RFC 6750 §3.1). */
const STATUS: Readonly<Record<TokenStatus, string>> = {
  invalid_request: '400',
  invalid_token: '401',
  insufficient_scope: '403',
};
