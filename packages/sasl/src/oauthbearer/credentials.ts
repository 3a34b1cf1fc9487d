import { type Ask, Credentials, LoginDenied, type LoginError, UnauthorizedLogin } from '@postern/cred';
import { ExchangeError } from '../errors.ts';

/** What came with a token, and how to tell the client what is wrong with it. */
export interface BearerTokenInfo {
  /** Whom the client asks to act as: `a=` in OAUTHBEARER, `user=` in XOAUTH2. The checker may also take it for whose token it is. */
  readonly authzid?: string | undefined;
  /** The host that the client says it connected to. */
  readonly host?: string | undefined;
  /** The port that the client says it connected to. */
  readonly port?: number | undefined;
  /** Sends the error challenge for a refusal and waits for the client's answer. Default: sends nothing. */
  readonly sayError?: ((status: TokenStatus) => Promise<void>) | undefined;
}

/** What is wrong with a request that bears a token, in the words of RFC 6750 §3.1. */
export type TokenStatus = 'invalid_request' | 'invalid_token' | 'insufficient_scope';

/**
 * An OAuth 2.0 bearer token (RFC 6750). Whose it is, the checker says; there is no user name, since what the client says of itself
 * proves nothing.
 */
export class BearerToken extends Credentials {
  readonly username = undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly #token: string;
  readonly #sayError: BearerTokenInfo['sayError'];

  constructor(token: string, { authzid, host, port, sayError }: BearerTokenInfo = {}) {
    super(authzid);
    this.#token = token;
    this.host = host;
    this.port = port;
    this.#sayError = sayError;
  }

  /** The token: never empty. Never log it. */
  get token(): string {
    return this.#token;
  }

  /** Says what is wrong with the token (RFC 7628 §3.2.2); nothing where it may be good: the trouble is ours, or nobody has looked at it. */
  override async refused(error: LoginError): Promise<void> {
    const status = statusOf(error);
    if (status !== undefined) await this.#sayError?.(status);
  }
}

/**
 * Sends an error challenge. The client answers it with anything, or cancels the exchange (RFC 7628 §3.2.3). Both are the
 * end, and the refusal stands.
 */
export async function sayError(ask: Ask, errorChallenge: Uint8Array): Promise<void> {
  try {
    await ask(errorChallenge);
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
  }
}

/** Returns what `read` returns. If it refuses the client, says that the request is invalid before the refusal. */
export async function orSayError<T>(sayError: (status: TokenStatus) => Promise<void>, read: () => T): Promise<T> {
  try {
    return read();
  } catch (refusal) {
    await sayError('invalid_request');
    throw refusal;
  }
}

function statusOf(error: LoginError): TokenStatus | undefined {
  if (error instanceof UnauthorizedLogin) return 'invalid_token';
  return error instanceof LoginDenied && error.reason !== 'too-many' ? 'insufficient_scope' : undefined;
}
