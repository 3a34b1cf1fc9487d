import { NO_BYTES } from '../bytes.ts';
import { SaslFailure } from '../client/errors.ts';
import type { Responder } from '../client/responder.ts';
import { formatXOAuth2 } from '../oauthbearer/messages.ts';
import { sayToken, type TokenOptions } from '../oauthbearer/responder.ts';
import { STRENGTH } from '../strength.ts';

/** What a client logs in with by XOAUTH2. */
export interface XOAuth2ResponderOptions extends TokenOptions {
  /** The user whose mailbox it is: an e-mail address. */
  readonly username: string;
}

/** XOAUTH2: an OAuth 2.0 bearer token, and whose it is. Rejects with TokenRefused if the server says what is wrong with the token. */
export function xoauth2Responder(options: XOAuth2ResponderOptions): Responder {
  return {
    mechanism: 'XOAUTH2',
    exposesSecret: true,
    strength: STRENGTH.token,
    async respond(say) {
      const { username, token } = options;
      if (!username.isWellFormed() || !USER.test(username)) {
        throw new SaslFailure('this user name cannot be said in the mechanism');
      }
      await sayToken(say, formatXOAuth2(username, token), NO_BYTES, options);
    },
  };
}

const USER = /^[^\0-\x1f\x7f]+$/;
