/** The base class of the errors that a conversation rejects with. */
export abstract class ConversationError extends Error {
  /** A stable name of the error, for logs and for comparisons. */
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * The line has too many octets. The conversation discards the rest of the line before it hears the
 * next one.
 */
export class LineTooLong extends ConversationError {
  readonly code = 'line-too-long';
  /**
   * The first octets of the line, at most five: enough to identify the command, too few for a
   * secret.
   */
  readonly beginning: string;

  constructor(maxOctets: number, beginning = '') {
    super(`a line of more than ${maxOctets} octets`);
    this.beginning = beginning;
  }
}

/**
 * The line has a CR or LF outside a CRLF (RFC 5321 §2.3.8). The conversation discards the input up
 * to the next CRLF.
 */
export class BareLineEnding extends ConversationError {
  readonly code = 'bare-line-ending';

  constructor() {
    super('a CR or LF that is not part of a CRLF');
  }
}

/** The peer, or work with a time limit, did not finish within the time. */
export class TimedOut extends ConversationError {
  readonly code = 'timed-out';

  constructor() {
    super('it took too long');
  }
}

/**
 * The peer disconnected within a line or a message, or the connection broke. `cause` is the
 * transport's error, if any.
 */
export class PeerGone extends ConversationError {
  readonly code = 'peer-gone';

  constructor(message = 'the peer is gone', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The server closes this connection in favour of another peer (RFC 5321 §3.8: 421). */
export class Displaced extends ConversationError {
  readonly code = 'displaced';

  constructor() {
    super('the connection makes room for another one');
  }
}

/** The server shuts down, and every command of the peer has its reply. */
export class Closing extends ConversationError {
  readonly code = 'closing';

  constructor() {
    super('the server is closing');
  }
}

/** The most octets of a bad line that {@link LineTooLong} carries. */
export const MAX_BEGINNING_OCTETS = 5;
