import type { FailurePolicy } from '../login-failures.ts';

/**
 * Bounds on what one client of any protocol may use. Sizes are in octets, times in milliseconds.
 */
export interface SessionLimits extends FailurePolicy {
  /** Octets of a command line without its CRLF. */
  readonly maxCommandLine: number;
  /** Octets of an authentication response or initial response without its CRLF. */
  readonly maxExchangeLine: number;
  /** Unknown, misplaced or malformed commands on one connection; the last one closes it. */
  readonly maxErrors: number;
  /** Junk commands, which bring the client nothing, that are answered without delay. */
  readonly undelayedJunkCommands: number;
  /** Milliseconds before the reply to each further junk command. */
  readonly junkCommandDelay: number;
  /** Junk commands on one connection; the next one closes it. Each ten seconds take one off. */
  readonly maxJunkCommands: number;
  /** Milliseconds of waiting for a line. */
  readonly idleTimeout: number;
  /** Milliseconds that a connection lasts without a login. */
  readonly unauthenticatedTimeout: number;
}

/** The limits of a protocol without needs of its own. */
export const defaultSessionLimits: SessionLimits = {
  maxCommandLine: 2_048,
  maxExchangeLine: 12_288,
  maxErrors: 20,
  undelayedJunkCommands: 100,
  junkCommandDelay: 10,
  maxJunkCommands: 1_000,
  undelayedLoginFailures: 3,
  loginFailureDelay: 5_000,
  maxLoginFailures: 10,
  minFailureDelay: 250,
  minChallengeDelay: 10,
  idleTimeout: 300_000,
  unauthenticatedTimeout: 1_800_000,
};

/** The least value of each limit with which a session works. */
export const minimalSessionLimits: SessionLimits = {
  maxCommandLine: 255,
  maxExchangeLine: 510,
  maxErrors: 1,
  undelayedJunkCommands: 0,
  junkCommandDelay: 0,
  maxJunkCommands: 1,
  undelayedLoginFailures: 0,
  loginFailureDelay: 0,
  maxLoginFailures: 1,
  minFailureDelay: 0,
  minChallengeDelay: 0,
  idleTimeout: 1,
  unauthenticatedTimeout: 1,
};

/**
 * Returns all limits of a protocol: the given ones, and the defaults for the others.
 *
 * @throws TypeError for an unknown name.
 * @throws RangeError for a number below its minimum.
 */
export function completeLimits<L extends object>(limits: Partial<L> | undefined, defaults: L, minimums: L): L {
  const least = new Map(Object.entries<number>(minimums as Readonly<Record<string, number>>));
  const given = Object.entries(limits ?? {}).filter(([, value]) => value !== undefined);
  for (const [name, value] of given as [string, number][]) {
    const minimum = least.get(name);
    if (minimum === undefined) {
      const known = [...least.keys()].join(', ');
      throw new TypeError(`limits: unknown limit ${JSON.stringify(name)}; expected one of ${known}`);
    }
    if (!(value >= minimum)) throw new RangeError(`limits.${name}: expected ${minimum} or more, not ${value}`);
  }
  return { ...defaults, ...Object.fromEntries(given) };
}
