/** A user database has no user of the name. The fault is the operator's. */
export class UnknownUser extends Error {
  override readonly name = 'UnknownUser';
  readonly code = 'unknown-user';
  /** The name that was asked for. */
  readonly username: string;

  constructor(username: string, options?: ErrorOptions) {
    super(`there is no user ${JSON.stringify(username)}`, options);
    this.username = username;
  }
}

/** A user database has a user of the name already. The fault is the operator's. */
export class UserExists extends Error {
  override readonly name = 'UserExists';
  readonly code = 'user-exists';
  /** The name that was to be added. */
  readonly username: string;

  constructor(username: string, options?: ErrorOptions) {
    super(`there is a user ${JSON.stringify(username)} already`, options);
    this.username = username;
  }
}

/**
 * A stored secret cannot be used: its scheme is unknown, refused or not available here, or the
 * text is malformed. The fault is the operator's: a login with it is a temporary failure. The
 * message holds no part of the secret but the name of the scheme.
 */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly culprit = 'operator';
  readonly code: 'unknown-scheme' | 'weak-scheme' | 'unavailable-scheme' | 'malformed-secret';

  constructor(code: SecretError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * A user database cannot be used: it is missing, damaged, of another program or of a newer version,
 * or it holds a malformed record. The fault is the operator's: a login is a temporary failure.
 */
export class UserStoreError extends Error {
  override readonly name = 'UserStoreError';
  readonly culprit = 'operator';
  readonly code = 'unusable-user-store';
}
