import { decodeUtf8 } from '../bytes.ts';
import { AuthenticationFailure } from '../client/errors.ts';

/** The server refused an OAuth token, and said why. */
export class TokenRefused extends AuthenticationFailure {
  /** `invalid_token` and the like; XOAUTH2 has HTTP status codes. Undefined if the server's error was none. */
  readonly status: string | undefined;
  /** The scope that a token needs there, if the server said so. */
  readonly scope: string | undefined;
  /** Where the authorization server describes itself, if the server said so. */
  readonly openidConfiguration: string | undefined;

  /** Of an error challenge (RFC 7628 §3.2.2). */
  constructor(errorChallenge: Uint8Array, options?: ErrorOptions) {
    const facts = parse(errorChallenge);
    const status = stringOf(facts, 'status');
    super(`the server refused the token${status === undefined ? '' : `: ${JSON.stringify(status)}`}`, options);
    this.status = status;
    this.scope = stringOf(facts, 'scope');
    this.openidConfiguration = stringOf(facts, 'openid-configuration');
  }
}

function parse(errorChallenge: Uint8Array): unknown {
  try {
    return JSON.parse(decodeUtf8(errorChallenge) ?? '');
  } catch {
    return undefined;
  }
}

function stringOf(facts: unknown, key: string): string | undefined {
  if (typeof facts !== 'object' || facts === null || !Object.hasOwn(facts, key)) return undefined;
  const value: unknown = Reflect.get(facts, key);
  return typeof value === 'string' ? value : undefined;
}
