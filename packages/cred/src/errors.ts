/** Whose doing a failure is: the client's, the operator's (configuration), or ours (a backend or a bug). */
export type Culprit = 'client' | 'operator' | 'us';

/** Why an account, or the realm, turned down a client whose credentials may well have been right. */
export type DenialReason =
  | 'disabled'
  | 'expired'
  | 'transition-needed'
  | 'mechanism-too-weak'
  | 'too-many'
  | 'not-authorized'
  | 'policy';

/** The base of everything a portal's login rejects with. */
export abstract class LoginError extends Error {
  /** Stable, for logs and for code that tells errors apart. */
  abstract readonly code: string;
  abstract readonly culprit: Culprit;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The credentials are not right. Says nothing of why: an unknown user and a wrong password look alike. */
export class UnauthorizedLogin extends LoginError {
  readonly code = 'unauthorized';
  readonly culprit = 'client';

  constructor(message = 'the credentials are not right', options?: ErrorOptions) {
    super(message, options);
  }
}

/** What else is known of a denial. */
export interface DenialOptions extends ErrorOptions {
  /** Milliseconds after which the client may try again. */
  readonly retryAfter?: number;
}

/** The account or the realm does not let this client in, for the reason given. The reason is for the log, not for the client. */
export class LoginDenied extends LoginError {
  readonly code = 'denied';
  readonly culprit = 'client';
  readonly reason: DenialReason;
  /** Milliseconds after which the client may try again; undefined if that is not known. */
  readonly retryAfter: number | undefined;

  constructor(reason: DenialReason, message = `login denied: ${reason}`, options?: DenialOptions) {
    super(message, options);
    this.reason = reason;
    this.retryAfter = options?.retryAfter;
  }
}

/**
 * Returns true for the denial of a throttle. Such a denial is about the client and not about an account:
 * the exchange ends at once, where every other refusal runs on to the end.
 */
export function isThrottled(error: unknown): boolean {
  return error instanceof LoginDenied && error.reason === 'too-many';
}

/** Something of ours did not work, so nobody knows whether the credentials are right; the client may try again. */
export class TemporaryFailure extends LoginError {
  readonly code = 'temporary';
  readonly culprit = 'us';
}

/** No checker is registered for credentials of this class. */
export class UnhandledCredentials extends LoginError {
  readonly code = 'unhandled-credentials';
  readonly culprit = 'operator';
}

/** The realm has no avatar for the interfaces asked for. */
export class NoAvatar extends LoginError {
  readonly code = 'no-avatar';
  readonly culprit = 'operator';
}

/** The error itself if it is one of ours; else a {@link TemporaryFailure} caused by it: an error is a deferral. */
export function asLoginError(error: unknown): LoginError {
  if (error instanceof LoginError) return error;
  return new TemporaryFailure('a checker or realm failed', { cause: error });
}
