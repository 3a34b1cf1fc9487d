import type { LoginError } from '@postern/cred';

/**
 * The base of the errors by which a client breaks an exchange, apart from any verdict on its
 * credentials.
 */
export abstract class ExchangeError extends Error {
  /** Stable, for logs and for the choice of a reply. */
  abstract readonly code: 'cancelled' | 'malformed';
  readonly culprit = 'client';

  override get name(): string {
    return this.constructor.name;
  }
}

/** The client has cancelled the exchange (RFC 4422 §3.5). */
export class ExchangeCancelled extends ExchangeError {
  readonly code = 'cancelled';

  constructor(message = 'the client cancelled the exchange') {
    super(message);
  }
}

/** The fault of a response, as far as protocols reply to it differently. */
export type Malformation =
  /** The response is outside the mechanism's grammar. */
  | 'syntax'
  /** The response cannot be decoded: bad base64. */
  | 'encoding'
  /** The response is longer than the protocol allows. */
  | 'too-long'
  /**
   * A CR or LF stands alone in the line. The protocol closes the connection: the lines that follow
   * are uncertain.
   */
  | 'line-ending'
  /** An initial response for a mechanism in which the server speaks first (RFC 4954 §4). */
  | 'unexpected-initial-response';

/** The client's response is malformed. The message says how, and quotes nothing of the response. */
export class MalformedResponse extends ExchangeError {
  readonly code = 'malformed';
  readonly malformation: Malformation;

  constructor(message: string, malformation: Malformation = 'syntax') {
    super(message);
    this.malformation = malformation;
  }
}

/**
 * The server refused the client, and lost it before the client had answered the mechanism's closing
 * words. `cause` is the error of `ask`: the connection's end, for one.
 */
export class UnheardRefusal extends Error {
  /** The refusal, which the protocol logs and counts. */
  readonly refusal: LoginError;

  constructor(refusal: LoginError, options: ErrorOptions) {
    super('the client was lost before it heard of its refusal', options);
    this.refusal = refusal;
  }

  override get name(): string {
    return 'UnheardRefusal';
  }
}
