import { completeLimits, defaultSessionLimits, minimalSessionLimits, type SessionLimits } from '@postern/sasl-profile';

/** Bounds on what one client may use. Sizes are in octets, times in milliseconds. */
export interface Limits extends SessionLimits {
  /**
   * Octets of a command line without its CRLF, except for AUTH and PASS. RFC 2449 §4 asks for 253.
   * Default: 2,048.
   */
  readonly maxCommandLine: number;
  /**
   * Octets of an authentication response or initial response, and of a line with PASS. Default:
   * 12,288.
   */
  readonly maxExchangeLine: number;
  /**
   * Milliseconds of waiting for a command, or for a client that takes octets. RFC 1939 §3 asks for
   * at least 600,000. Default: 600,000.
   */
  readonly idleTimeout: number;
  /** Milliseconds that a connection lasts without a login. Default: 180,000. */
  readonly unauthenticatedTimeout: number;
  /** Milliseconds of one call of a mailbox; then `-ERR [SYS/TEMP]`. Default: 120,000. */
  readonly mailboxTimeout: number;
}

/** The default limits: safe on the open Internet, and wide enough for each client that behaves. */
export const defaultLimits: Limits = {
  ...defaultSessionLimits,
  idleTimeout: 600_000,
  unauthenticatedTimeout: 180_000,
  mailboxTimeout: 120_000,
};

/**
 * Returns all limits: the given ones, and {@link defaultLimits} for the others.
 *
 * @throws TypeError for an unknown name.
 * @throws RangeError for a number that is too small for any server.
 */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  return completeLimits(limits, defaultLimits, MINIMUMS);
}

/** The least value of each limit with which a server works. */
const MINIMUMS: Limits = { ...minimalSessionLimits, mailboxTimeout: 1 };
