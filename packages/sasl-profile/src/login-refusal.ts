import {
  AvatarInUse,
  LoginDenied,
  type LoginError,
  NoAvatar,
  UnauthorizedLogin,
  UnhandledCredentials,
} from '@postern/cred';
import { ExchangeCancelled, type ExchangeError, MalformedResponse } from '@postern/sasl';

/**
 * Why a server refuses a login, in the distinctions that protocols have replies for. An unknown
 * user, a wrong password, a disabled account and a forbidden authorization identity are all
 * `failed`: a reply shows the state of an account only where the user can change it (RFC 4954 §6).
 *
 * - `needs-tls`: the mechanism exposes the secret, and the connection has no TLS.
 * - `not-offered`: the mechanism is unknown, or this connection is not offered it.
 * - `cancelled`: the client has sent `*`.
 * - `malformed`: a response is not base64, or outside the mechanism's grammar.
 * - `too-long`: a response has too many octets.
 * - `unexpected-initial-response`: in this mechanism the server speaks first.
 * - `in-use`: the credentials are right, and another session has locked the avatar.
 * - `no-avatar`: the realm has no avatar for the user in this protocol.
 * - `throttled`: too many attempts; a later one is judged again.
 * - `deferred`: this server failed, and the credentials were not judged.
 * - `too-many-failures`: the last failed login of this connection, which closes.
 */
export type LoginRefusal =
  | 'needs-tls'
  | 'not-offered'
  | 'cancelled'
  | 'malformed'
  | 'too-long'
  | 'unexpected-initial-response'
  | 'failed'
  | 'mechanism-too-weak'
  | 'transition-needed'
  | 'in-use'
  | 'no-avatar'
  | 'throttled'
  | 'deferred'
  | 'too-many-failures';

/** Returns why a login failed, for the one table of a protocol's replies. */
export function loginRefusalOf(error: LoginError | ExchangeError): LoginRefusal {
  if (error instanceof ExchangeCancelled) return 'cancelled';
  if (error instanceof MalformedResponse) return MALFORMATIONS[error.malformation];
  if (error instanceof UnauthorizedLogin) return 'failed';
  if (error instanceof LoginDenied) return DENIALS[error.reason];
  if (error instanceof AvatarInUse) return 'in-use';
  if (error instanceof NoAvatar) return 'no-avatar';
  return error instanceof UnhandledCredentials ? 'not-offered' : 'deferred';
}

const MALFORMATIONS = {
  syntax: 'malformed',
  encoding: 'malformed',
  'line-ending': 'malformed',
  'too-long': 'too-long',
  'unexpected-initial-response': 'unexpected-initial-response',
} as const satisfies Record<MalformedResponse['malformation'], LoginRefusal>;

const DENIALS = {
  disabled: 'failed',
  expired: 'failed',
  'not-authorized': 'failed',
  policy: 'failed',
  'transition-needed': 'transition-needed',
  'mechanism-too-weak': 'mechanism-too-weak',
  'too-many': 'throttled',
} as const satisfies Record<LoginDenied['reason'], LoginRefusal>;
