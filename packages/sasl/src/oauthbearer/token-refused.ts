import { decodeUtf8 } from '../bytes.ts';
import { AuthenticationFailure } from '../client/errors.ts';

/** The server refused an OAuth token, and gave the reason. */
export class TokenRefused extends AuthenticationFailure {
  /**
   * The error: `invalid_token` for one, or an HTTP status code in XOAUTH2. Undefined if the server
   * sent none.
   */
  readonly status: string | undefined;
  /** The scope that a token needs, if the server sent it. */
  readonly scope: string | undefined;
  /** The URL of the authorization server's description, if the server sent it. */
  readonly openidConfiguration: string | undefined;

  /** Reads an error challenge (RFC 7628 §3.2.2). */
  constructor(errorChallenge: Uint8Array, options?: ErrorOptions) {
    const fields = parse(errorChallenge);
    const status = stringOf(fields, 'status');
    super(`the server refused the token${status === undefined ? '' : `: ${JSON.stringify(status)}`}`, options);
    this.status = status;
    this.scope = stringOf(fields, 'scope');
    this.openidConfiguration = stringOf(fields, 'openid-configuration');
  }
}

function parse(errorChallenge: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(errorChallenge) ?? '');
  } catch {
    return undefined;
  }
}

function stringOf(fields: unknown, key: string): string | undefined {
  if (typeof fields !== 'object' || fields === null || !Object.hasOwn(fields, key)) return undefined;
  const value: unknown = Reflect.get(fields, key);
  return typeof value === 'string' ? value : undefined;
}
