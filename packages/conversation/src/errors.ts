/** The base of what a conversation's hearing and saying fails with. */
export abstract class ConversationError extends Error {
  /** Stable, for logs and for code that tells errors apart. */
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The line is longer than it may be. What is left of it is discarded before the next line is heard. */
export class LineTooLong extends ConversationError {
  readonly code = 'line-too-long';
  /** The first octets of the line, five at most: enough to tell what kind of line it is, and too few for a secret. */
  readonly beginning: string;

  constructor(maximum: number, beginning = '') {
    super(`a line of more than ${maximum} octets`);
    this.beginning = beginning;
  }
}

/** A CR or LF stands alone in the line (RFC 5321 §2.3.8). What is left up to the next CRLF is discarded before the next line is heard. */
export class BareLineEnding extends ConversationError {
  readonly code = 'bare-line-ending';

  constructor() {
    super('a CR or LF that is not part of a CRLF');
  }
}

/** The peer, or the work that was given so much time, took too long. */
export class TimedOut extends ConversationError {
  readonly code = 'timed-out';

  constructor() {
    super('it took too long');
  }
}

/** The peer left in the middle of something, or the connection broke; the cause, if there is one, says how. */
export class PeerGone extends ConversationError {
  readonly code = 'peer-gone';

  constructor(message = 'the peer is gone', options?: ErrorOptions) {
    super(message, options);
  }
}

/** The server needs the place of this connection for another peer (RFC 5321 §3.8: 421). */
export class Displaced extends ConversationError {
  readonly code = 'displaced';

  constructor() {
    super('the connection makes room for another one');
  }
}

/** The server wants to stop, and the peer has asked for nothing that is not answered. */
export class Closing extends ConversationError {
  readonly code = 'closing';

  constructor() {
    super('the server is closing');
  }
}
