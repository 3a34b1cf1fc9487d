/**
 * The party that an error is the fault of: the client, the operator (configuration), or the server.
 */
export type Culprit = 'client' | 'operator' | 'us';

/** The reason why an account or a realm refuses a client whose credentials may be right. */
export type DenialReason =
  | 'disabled'
  | 'expired'
  | 'transition-needed'
  | 'mechanism-too-weak'
  | 'too-many'
  | 'not-authorized'
  | 'policy';

/** The base class of all errors that `Portal.login` rejects with. */
export abstract class LoginError extends Error {
  /** A stable code, for logs and for code that distinguishes errors. */
  abstract readonly code: string;
  abstract readonly culprit: Culprit;

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * The credentials are wrong. The error gives no reason: an unknown user and a wrong password must
 * look alike.
 */
export class UnauthorizedLogin extends LoginError {
  readonly code = 'unauthorized';
  readonly culprit = 'client';

  constructor(message = 'the credentials are not right', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The optional properties of a {@link LoginDenied}. */
export interface DenialOptions extends ErrorOptions {
  /** The time in milliseconds after which the client may try again. */
  readonly retryAfter?: number;
}

/**
 * The account or the realm refuses this client. The reason is for the log and not for the client.
 */
export class LoginDenied extends LoginError {
  readonly code = 'denied';
  readonly culprit = 'client';
  readonly reason: DenialReason;
  /** The time in milliseconds after which the client may try again; undefined if unknown. */
  readonly retryAfter: number | undefined;

  constructor(reason: DenialReason, message = `login denied: ${reason}`, options?: DenialOptions) {
    super(message, options);
    this.reason = reason;
    this.retryAfter = options?.retryAfter;
  }
}

/**
 * Returns true for the denial of a throttle. It concerns the client and not an account, so the
 * exchange ends at once. After every other refusal the exchange runs to its end.
 */
export function isThrottled(error: unknown): boolean {
  return error instanceof LoginDenied && error.reason === 'too-many';
}

/** The optional properties of a {@link TemporaryFailure}. */
export interface TemporaryFailureOptions extends ErrorOptions {
  /**
   * The party that has to act. Default: `operator` if that is the culprit of the cause, otherwise
   * `us`.
   */
  readonly culprit?: 'operator' | 'us';
}

/** A part of the server failed, so the credentials were not judged. The client may try again. */
export class TemporaryFailure extends LoginError {
  readonly code = 'temporary';
  readonly culprit: 'operator' | 'us';

  constructor(message?: string, options: TemporaryFailureOptions = {}) {
    super(message, options);
    this.culprit = options.culprit ?? (isOfOperator(options.cause) ? 'operator' : 'us');
  }
}

/** No checker is registered for the class of the credentials. */
export class UnhandledCredentials extends LoginError {
  readonly code = 'unhandled-credentials';
  readonly culprit = 'operator';
}

/** The realm has no avatar for the requested interfaces. */
export class NoAvatar extends LoginError {
  readonly code = 'no-avatar';
  readonly culprit = 'operator';
}

/**
 * The credentials are right, and another session of the user has locked what the avatar needs, such
 * as a mailbox. Never counted as a guess.
 */
export class AvatarInUse extends LoginError {
  readonly code = 'in-use';
  readonly culprit = 'client';
}

/**
 * Returns a {@link LoginError} as it is, and any other error as the cause of a
 * {@link TemporaryFailure}: an error of a checker or realm is no decision.
 */
export function asLoginError(error: unknown): LoginError {
  if (error instanceof LoginError) return error;
  return new TemporaryFailure('a checker or realm failed', { cause: error });
}

/**
 * Returns the party that has to act on an error: that of a {@link LoginError}, and of any other
 * error the `operator` if its property `culprit` says so. Else `us`.
 */
export function culpritOf(error: unknown): Culprit {
  if (error instanceof LoginError) return error.culprit;
  return isOfOperator(error) ? 'operator' : 'us';
}

/** Returns true if the error, or each of several errors, names the operator as its culprit. */
function isOfOperator(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isOfOperator);
  return error instanceof Error && 'culprit' in error && error.culprit === 'operator';
}
