/** The base of the ways in which a client's authentication can fail. */
export abstract class SaslError extends Error {
  abstract readonly code: 'authentication-failure' | 'sasl-failure';

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * The server refused the credentials, or did not prove that it knows them itself: do not retry. In another mechanism it would
 * refuse them again, or, if it is an impostor, be told them.
 */
export class AuthenticationFailure extends SaslError {
  readonly code = 'authentication-failure';

  constructor(message = 'the server refused the credentials', options?: ErrorOptions) {
    super(message, options);
  }
}

/** Protocol trouble: the mechanism did not work out, or the server's word was none. Another mechanism may do. */
export class SaslFailure extends SaslError {
  readonly code = 'sasl-failure';
}
