import { NO_BYTES } from '../bytes.ts';
import { SaslFailure } from '../client/errors.ts';
import type { Responder } from '../client/responder.ts';
import { formatXOAuth2 } from '../oauthbearer/messages.ts';
import { sayToken, type TokenOptions } from '../oauthbearer/responder.ts';
import { STRENGTH } from '../strength.ts';

/** The options of XOAUTH2 on a client. */
export interface XOAuth2ResponderOptions extends TokenOptions {
  /** The user whose mailbox the client wants: an e-mail address. */
  readonly username: string;
}

/**
 * Returns the responder of XOAUTH2: an OAuth 2.0 bearer token and its user. `respond` rejects with
 * TokenRefused if the server says what is wrong with the token.
 */
export function xoauth2Responder(options: XOAuth2ResponderOptions): Responder {
  return {
    mechanism: 'XOAUTH2',
    exposesSecret: true,
    strength: STRENGTH.token,
    async respond(say) {
      const { username, token } = options;
      if (!username.isWellFormed() || !USER.test(username)) {
        throw new SaslFailure('the user name has characters that XOAUTH2 cannot carry');
      }
      await sayToken(say, formatXOAuth2(username, token), NO_BYTES, options);
    },
  };
}

const USER = /^[^\0-\x1f\x7f]+$/;
