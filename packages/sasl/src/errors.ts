import type { LoginError } from '@postern/cred';

/** The base of the two ways in which an exchange itself can break, before or beside any verdict on the credentials. */
export abstract class ExchangeError extends Error {
  abstract readonly code: 'cancelled' | 'malformed';
  readonly culprit = 'client';

  override get name(): string {
    return this.constructor.name;
  }
}

/** The client cancelled the exchange (RFC 4422 §3.5). */
export class ExchangeCancelled extends ExchangeError {
  readonly code = 'cancelled';

  constructor(message = 'the client cancelled the exchange') {
    super(message);
  }
}

/** What is wrong with a response, as far as protocols answer it differently. */
export type Malformation =
  /** Not of the mechanism's grammar. */
  | 'syntax'
  /** Not decodable: bad base64. */
  | 'encoding'
  /** Longer than the protocol takes. */
  | 'too-long'
  /** Not one line: a CR or LF stands alone in it. The protocol closes the connection, since lines are no longer certain. */
  | 'line-ending'
  /** An initial response to a mechanism in which the server speaks first (RFC 4954 §4). */
  | 'unexpected-initial-response';

/** The client's response is none. The message says what is wrong with it and quotes nothing of it. */
export class MalformedResponse extends ExchangeError {
  readonly code = 'malformed';
  readonly malformation: Malformation;

  constructor(message: string, malformation: Malformation = 'syntax') {
    super(message);
    this.malformation = malformation;
  }
}

/**
 * The server refused the client, and lost it before the client had answered the mechanism's closing words. `refusal` is the error to
 * log and to count. `cause` is the error with which `ask` rejected: the connection's end, for one.
 */
export class UnheardRefusal extends Error {
  readonly refusal: LoginError;

  constructor(refusal: LoginError, options: ErrorOptions) {
    super('the client was lost before it heard of its refusal', options);
    this.refusal = refusal;
  }

  override get name(): string {
    return 'UnheardRefusal';
  }
}
