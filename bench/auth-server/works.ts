import type { MeasuredWork } from '../measure.ts';
import type { AuthServerName } from './servers.ts';

/** A work of the load generator. */
export interface AuthWork extends MeasuredWork {
  readonly title: string;
  readonly load: 'auth' | 'http';
  /** The requests of each connection that wait for their replies. */
  readonly inFlight: number;
  readonly servers: readonly AuthServerName[];
  /** The server that the others are compared with. */
  readonly other: AuthServerName;
  /** The least ratio of the rate by the clock to the other server's. */
  readonly asked: number;
}

const PLAIN = {
  load: 'auth',
  unit: 'login',
  servers: ['library', 'command', 'dovecot'],
  other: 'dovecot',
  asked: 0.4,
} as const;

/** The works in the order of the tables. */
export const WORKS: readonly AuthWork[] = [
  { ...PLAIN, id: 'p1', title: 'PLAIN, 64 in flight on one connection', connections: 1, inFlight: 64 },
  { ...PLAIN, id: 'p8', title: 'PLAIN, 64 in flight on 8 connections', connections: 8, inFlight: 8 },
  {
    id: 'b',
    title: 'HTTP Basic, one request at a time on 64 connections',
    load: 'http',
    unit: 'request',
    connections: 64,
    inFlight: 1,
    servers: ['basic', 'bare'],
    other: 'bare',
    asked: 0.7,
  },
];
