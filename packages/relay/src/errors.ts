/** The base class of the errors of a relay. */
export abstract class RelayError extends Error {
  /** A stable name of the error, for logs and for comparisons. */
  abstract readonly code: 'unreachable' | 'congested' | 'spool-full' | 'spool-failed';

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * The connection, the greeting, TLS or the login at the next server failed. `cause` is the reason.
 */
export class Unreachable extends RelayError {
  readonly code = 'unreachable';
}

/** All connections, or the client's share of them, stayed in use until the timeout. */
export class Congested extends RelayError {
  readonly code = 'congested';

  constructor() {
    super('all connections to the next server are in use');
  }
}

/**
 * The spool, the disk or the process has no room for the message. `cause` is the error of the file
 * system, if any.
 */
export class SpoolFull extends RelayError {
  readonly code = 'spool-full';

  constructor(options?: ErrorOptions) {
    super('the spool has no room for the message', options);
  }
}

/** A temporary file of the spool cannot be opened, written or read. `cause` is the reason. */
export class SpoolFailed extends RelayError {
  readonly code = 'spool-failed';

  constructor(options: ErrorOptions) {
    super('the spool cannot store the message', options);
  }
}
