/** The base of the ways in which the next server cannot be had. */
export abstract class RelayError extends Error {
  abstract readonly code: 'unreachable' | 'congested' | 'spool-full' | 'spool-failed';

  override get name(): string {
    return this.constructor.name;
  }
}

/** No connection came about, or no greeting, TLS or login on it; the cause says why. */
export class Unreachable extends RelayError {
  readonly code = 'unreachable';
}

/** All connections were in use for too long. */
export class Congested extends RelayError {
  readonly code = 'congested';

  constructor() {
    super('all connections to the next server are in use');
  }
}

/** The spool, the disk, or the process has no room for the rest of a message; the cause says which error came. */
export class SpoolFull extends RelayError {
  readonly code = 'spool-full';

  constructor(options?: ErrorOptions) {
    super('there is no room for messages that wait for their end', options);
  }
}

/** A temporary file of the spool cannot be opened, written or read; the cause says why. */
export class SpoolFailed extends RelayError {
  readonly code = 'spool-failed';

  constructor(options: ErrorOptions) {
    super('a message cannot be kept until its end', options);
  }
}
