import { LoginDenied, type LoginError } from '@postern/cred';
import type { ExchangeError } from '@postern/sasl';
import { type LoginRefusal, loginRefusalOf } from '@postern/sasl-profile';
import type { HeaderField } from './request-info.ts';

/** The status of a response to a client that is not logged in. */
export type RefusalStatus = 400 | 401 | 403 | 429 | 431 | 503;

/** Returns the status of a refusal. The response shows no other detail of the cause. */
export function statusFor(error: LoginError | ExchangeError): RefusalStatus {
  return STATUS[loginRefusalOf(error)];
}

/** Returns the fields of a refusal beside WWW-Authenticate: the time of the next try. */
export function retryFields(status: RefusalStatus, error: LoginError | ExchangeError): readonly HeaderField[] {
  if (status !== 429 && status !== 503) return [];
  const milliseconds = error instanceof LoginDenied ? error.retryAfter : undefined;
  const seconds = milliseconds === undefined ? DEFAULT_RETRY_SECONDS : Math.max(1, Math.ceil(milliseconds / 1000));
  return [['Retry-After', String(seconds)]];
}

/** Returns the status with its reason phrase, for the log. */
export function formatStatus(status: RefusalStatus): string {
  return `${status} ${REASON_PHRASES[status]}`;
}

/** The reason phrases (RFC 9110 §15, RFC 6585 §4 and §5). */
export const REASON_PHRASES: Readonly<Record<RefusalStatus, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};

/**
 * The status of each refusal. 401 asks for other credentials (RFC 9110 §15.5.2); 403 says that the
 * same credentials are of no use (§15.5.4). A disabled account looks like a wrong password.
 */
const STATUS: Readonly<Record<LoginRefusal, RefusalStatus>> = {
  'needs-tls': 403,
  'not-offered': 401,
  cancelled: 401,
  malformed: 400,
  'too-long': 431,
  'unexpected-initial-response': 400,
  failed: 401,
  'mechanism-too-weak': 403,
  'transition-needed': 403,
  'in-use': 503,
  'no-avatar': 403,
  throttled: 429,
  deferred: 503,
  'too-many-failures': 429,
};

const DEFAULT_RETRY_SECONDS = 30;
