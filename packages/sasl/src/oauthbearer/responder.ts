import { encodeUtf8 } from '../bytes.ts';
import { field } from '../client/dialogue.ts';
import { AuthenticationFailure, SaslFailure } from '../client/errors.ts';
import type { AuthorizationOptions, Responder, Say } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';
import { formatOAuthBearer, TOKEN } from './messages.ts';
import { TokenRefused } from './token-refused.ts';

/** The options of the mechanisms for bearer tokens on a client. */
export interface TokenOptions {
  /** The access token. */
  readonly token: string;
  /**
   * Cancels the exchange at the server's error challenge instead of answering it. Default: false.
   */
  readonly cancelsError?: boolean;
}

/** The options of OAUTHBEARER on a client. */
export interface OAuthBearerResponderOptions extends TokenOptions, AuthorizationOptions {
  /** The host that the client has connected to, for servers that check it. */
  readonly host?: string | undefined;
  /** The port that the client has connected to. */
  readonly port?: number | undefined;
}

/**
 * Returns the responder of OAUTHBEARER (RFC 7628): an OAuth 2.0 bearer token. `respond` rejects
 * with TokenRefused if the server says what is wrong with the token.
 */
export function oauthBearerResponder(options: OAuthBearerResponderOptions): Responder {
  return {
    mechanism: 'OAUTHBEARER',
    exposesSecret: true,
    strength: STRENGTH.token + 10,
    async respond(say) {
      const { token, authzid, host, port } = options;
      field(authzid ?? '', 'authorization identity');
      if (host !== undefined && !HOST.test(host))
        throw new SaslFailure('the host has characters that OAUTHBEARER cannot carry');
      const message = formatOAuthBearer({ authzid: authzid || undefined, host, port, token });
      await sayToken(say, message, ERROR_ANSWER, options);
    },
  };
}

/**
 * Sends a message with a token. Answers or cancels an error challenge, after which the server
 * refuses the client.
 */
export async function sayToken(
  say: Say,
  message: string,
  errorAnswer: Uint8Array,
  { token, cancelsError }: TokenOptions,
): Promise<void> {
  if (!TOKEN.test(token)) throw new SaslFailure('the token is not a bearer token');
  const errorChallenge = await say(encodeUtf8(message));
  if (errorChallenge === undefined) return;
  if (!cancelsError) {
    try {
      await say(errorAnswer);
    } catch (error) {
      if (error instanceof AuthenticationFailure) throw new TokenRefused(errorChallenge, { cause: error });
      throw error;
    }
  }
  throw new TokenRefused(errorChallenge);
}

/** The answer to an error challenge (RFC 7628 §3.2.3). */
const ERROR_ANSWER = Uint8Array.of(1);

const HOST = /^[\x21-\x7e]+$/;
