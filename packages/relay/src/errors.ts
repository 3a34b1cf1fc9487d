/** The base of the ways in which the next server cannot be had. */
export abstract class RelayError extends Error {
  abstract readonly code: 'unreachable' | 'congested';

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
