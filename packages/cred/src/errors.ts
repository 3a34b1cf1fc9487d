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

/** The account or the realm does not let this client in, for the reason given. The reason is for the log, not for the client. */
export class LoginDenied extends LoginError {
  readonly code = 'denied';
  readonly culprit = 'client';
  readonly reason: DenialReason;

  constructor(reason: DenialReason, message = `login denied: ${reason}`, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
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
