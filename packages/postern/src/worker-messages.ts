import type { DemoUser } from './settings.ts';

/** The message from the supervisor to a worker: settings that all workers of a server share. */
export interface WorkerConfig {
  /** The port of each listener; 0 until the first worker has picked a port. */
  readonly ports: readonly number[];
  /** SCRAM's server key in base64: every worker gives an unknown user the same salt. */
  readonly scramKey: string;
  /** The secret of TLS session tickets in base64: a worker resumes the sessions of the others. */
  readonly ticketSecret: string;
  readonly demoUser: DemoUser | undefined;
}

/** The message from a worker to the supervisor: the worker listens. */
export interface WorkerReady {
  readonly urls: readonly string[];
  readonly ports: readonly number[];
}

/** The environment variable that marks a worker. */
export const WORKER_VARIABLE = 'POSTERN_WORKER';
