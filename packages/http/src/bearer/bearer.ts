import { after } from '@postern/core';
import { LoginDenied, type LoginError, UnauthorizedLogin } from '@postern/cred';
import { BearerToken, ExchangeError, MalformedResponse } from '@postern/sasl';
import { quote } from '../schemes/auth-params.ts';
import { type HttpScheme, NO_FIELDS } from '../schemes/scheme.ts';

/** The options of {@link bearer}. */
export interface BearerOptions {
  /** The scope that a token needs (RFC 6750 §3), in the challenge. Default: absent. */
  readonly scope?: string;
}

/**
 * Returns the Bearer scheme (RFC 6750): an OAuth 2.0 token in the Authorization field. The portal's
 * checker for `BearerToken` judges it, as it judges those of OAUTHBEARER.
 *
 * @throws TypeError for a scope outside the grammar of RFC 6750 §3.
 */
export function bearer({ scope }: BearerOptions = {}): HttpScheme {
  if (scope !== undefined && !SCOPE.test(scope)) {
    throw new TypeError(`scope: expected tokens with single spaces between them, not ${JSON.stringify(scope)}`);
  }
  return {
    name: 'Bearer',
    credentials: BearerToken,
    exposesSecret: true,
    serve({ realm }) {
      const challenge = `Bearer realm=${quote(realm)}${scope === undefined ? '' : `, scope=${quote(scope)}`}`;
      return {
        challenges: (refusal) => {
          const error = refusal === undefined ? undefined : errorCodeOf(refusal);
          return [error === undefined ? challenge : `${challenge}, error="${error}"`];
        },
        statusFor: (error) => (isScopeRefusal(error) ? 403 : undefined),
        logIn: ({ credentials, authenticate }) =>
          after(
            authenticate(() => credentialsOf(credentials)),
            (login) => ({ login, headers: NO_FIELDS }),
          ),
      };
    },
  };
}

function credentialsOf(token: string): BearerToken {
  if (!TOKEN.test(token)) throw new MalformedResponse('not a bearer token');
  if (token.length > MAX_TOKEN_OCTETS) {
    throw new UnauthorizedLogin(`the token is longer than ${MAX_TOKEN_OCTETS} octets`);
  }
  return new BearerToken(token);
}

/** Returns the code of RFC 6750 §3.1. Returns undefined where the token may be good. */
function errorCodeOf(error: LoginError | ExchangeError): string | undefined {
  if (error instanceof ExchangeError) return 'invalid_request';
  if (error instanceof UnauthorizedLogin) return 'invalid_token';
  return isScopeRefusal(error) ? 'insufficient_scope' : undefined;
}

/** The token is right, and its user may not log in: another token would be of use. */
function isScopeRefusal(error: LoginError | ExchangeError): boolean {
  return error instanceof LoginDenied && error.reason !== 'too-many';
}

/** `b64token` of RFC 6750 §2.1. */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** `scope-token *( SP scope-token )` of RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
/** The longest token in octets, as in OAUTHBEARER. */
const MAX_TOKEN_OCTETS = 8192;
