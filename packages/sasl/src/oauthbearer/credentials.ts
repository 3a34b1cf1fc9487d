import { type Ask, Credentials, LoginDenied, type LoginError, UnauthorizedLogin } from '@postern/cred';
import { ExchangeError } from '../errors.ts';

/** The fields beside a bearer token, and the way to report an error to the client. */
export interface BearerTokenInfo {
  /**
   * The authorization identity: `a=` in OAUTHBEARER, `user=` in XOAUTH2. A checker may also take it
   * for the user of the token.
   */
  readonly authzid?: string | undefined;
  /** The host that the client says it connected to. */
  readonly host?: string | undefined;
  /** The port that the client says it connected to. */
  readonly port?: number | undefined;
  /**
   * Sends the error challenge for a refusal and waits for the client's answer. Default: sends
   * nothing.
   */
  readonly sayError?: ((status: TokenStatus) => Promise<void>) | undefined;
}

/** The fault of a request with a token, in the words of RFC 6750 §3.1. */
export type TokenStatus = 'invalid_request' | 'invalid_token' | 'insufficient_scope';

/**
 * An OAuth 2.0 bearer token (RFC 6750). The checker finds its user. There is no user name, since
 * the name that a client gives proves nothing.
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

  /** The token, never empty. Never log it. */
  get token(): string {
    return this.#token;
  }

  /**
   * Sends an error challenge (RFC 7628 §3.2.2). Sends nothing if the token may be good: after a
   * temporary failure, and after a throttle's denial.
   */
  override async refused(error: LoginError): Promise<void> {
    const status = statusOf(error);
    if (status !== undefined) await this.#sayError?.(status);
  }
}

/**
 * Sends an error challenge. The client answers it, or cancels the exchange (RFC 7628 §3.2.3). Both
 * end the exchange with the refusal.
 */
export async function sayError(ask: Ask, errorChallenge: Uint8Array): Promise<void> {
  try {
    await ask(errorChallenge);
  } catch (error) {
    if (!(error instanceof ExchangeError)) throw error;
  }
}

/** Returns the result of `read`. If `read` throws, sends `invalid_request` before the error. */
export async function orSayError<T>(sayError: (status: TokenStatus) => Promise<void>, read: () => T): Promise<T> {
  try {
    return read();
  } catch (error) {
    await sayError('invalid_request');
    throw error;
  }
}

function statusOf(error: LoginError): TokenStatus | undefined {
  if (error instanceof UnauthorizedLogin) return 'invalid_token';
  return error instanceof LoginDenied && error.reason !== 'too-many' ? 'insufficient_scope' : undefined;
}
