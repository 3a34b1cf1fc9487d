/** The base of the errors of a client's authentication. */
export abstract class SaslError extends Error {
  /** Stable, for logs and for the decision to retry. */
  abstract readonly code: 'authentication-failure' | 'sasl-failure';

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * The server refused the credentials, or did not prove that it knows them. Do not retry: in another
 * mechanism the server would refuse them again, or an impostor would learn them.
 */
export class AuthenticationFailure extends SaslError {
  readonly code = 'authentication-failure';

  constructor(message = 'the server refused the credentials', options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * The mechanism failed, or a message of the server was malformed. Another mechanism may succeed.
 */
export class SaslFailure extends SaslError {
  readonly code = 'sasl-failure';
}
