import { completeLimits, defaultSessionLimits, minimalSessionLimits, type SessionLimits } from '@postern/sasl-profile';

/**
 * Bounds on what one client may use before its login. Sizes are in octets, times in milliseconds.
 * They limit nothing once the session passes through to a back end.
 */
export interface Limits extends SessionLimits {
  /** Octets of one literal. Default: 4,096, the bound of LITERAL- (RFC 7888 §5). */
  readonly maxLiteral: number;
}

/**
 * Returns all limits of a server: the given ones, and the defaults for the others.
 *
 * @throws TypeError for an unknown name.
 * @throws RangeError for a number below its minimum.
 */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  return completeLimits(limits, defaults, minimums);
}

/** RFC 2683 §3.2.1.5 asks for lines of 8,000 octets. */
const defaults: Limits = { ...defaultSessionLimits, maxCommandLine: 8_192, maxLiteral: 4_096 };
const minimums: Limits = { ...minimalSessionLimits, maxLiteral: 255 };
