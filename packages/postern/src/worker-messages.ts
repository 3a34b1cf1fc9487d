import type { InheritedSocket } from '@postern/node';
import type { ThrottleReport, ThrottleUpdate } from '@postern/throttle';
import type { DemoUser } from './settings.ts';

/** A message from the supervisor to a worker. The first one has the config. */
export type SupervisorMessage = { readonly config: WorkerConfig } | { readonly throttle: ThrottleUpdate };

/** A message from a worker to the supervisor. */
export type WorkerMessage = { readonly ready: WorkerReady } | { readonly throttle: ThrottleReport };

/** The settings that all workers of a server share. */
export interface WorkerConfig {
  /** The port of each listener; 0 until the first worker has picked a port. */
  readonly ports: readonly number[];
  /** SCRAM's server key in base64: every worker gives an unknown user the same salt. */
  readonly scramKey: string;
  /** The secret of TLS session tickets in base64: a worker resumes the sessions of the others. */
  readonly ticketSecret: string;
  /** The secret of digests of passwords in base64: workers compare the guesses of all. */
  readonly guessKey: string;
  /** The sockets of a service manager, under the same descriptors in each worker. */
  readonly inherited: readonly InheritedSocket[];
  /** The number of workers. */
  readonly workers: number;
  readonly demoUser: DemoUser | undefined;
}

/** The listeners of a worker that listens. */
export interface WorkerReady {
  readonly urls: readonly string[];
  readonly ports: readonly number[];
}

/** The environment variable that marks a worker. */
export const WORKER_VARIABLE = 'POSTERN_WORKER';
